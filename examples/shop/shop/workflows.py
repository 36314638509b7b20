"""An order: paid, shipped, and asked for a review a week later."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from .activities import charge, ship

SOON = timedelta(seconds=10)


@workflow.defn
class Order:
    def __init__(self) -> None:
        self.state = "new"
        self.stars: int | None = None

    @workflow.run
    async def run(self, order: str, cents: int) -> str:
        await workflow.execute_activity(charge, args=["4711", cents], start_to_close_timeout=SOON)
        self.state = "paid"
        parcel = await workflow.execute_activity(ship, order, start_to_close_timeout=SOON)
        self.state = "shipped"
        await workflow.sleep(timedelta(days=7))
        self.state = "asked for a review"
        await workflow.wait_condition(lambda: self.stars is not None)
        return f"{parcel}, {self.stars} stars"

    @workflow.signal
    def review(self, stars: int) -> None:
        self.stars = stars

    @workflow.query
    def where(self) -> str:
        return self.state
