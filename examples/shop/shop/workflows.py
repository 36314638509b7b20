"""Workflows of the shop: an order is paid, shipped, and reviewed a week later; a report runs each night."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from .activities import charge, ship

SOON = timedelta(seconds=10)


@workflow.defn
class Shipment:
    @workflow.run
    async def run(self, item: str) -> str:
        return await workflow.execute_activity(ship, item, start_to_close_timeout=SOON)


@workflow.defn
class Order:
    def __init__(self) -> None:
        self.state = "new"
        self.card = "4711"
        self.stars: int | None = None

    @workflow.run
    async def run(self, item: str, cents: int) -> str:
        await workflow.execute_activity(charge, args=[self.card, cents], start_to_close_timeout=SOON)
        self.state = "paid"
        parcel = await workflow.execute_child_workflow(Shipment.run, item, id=f"{workflow.info().workflow_id}-shipment")
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


@workflow.defn
class Report:
    def __init__(self) -> None:
        self.is_read = False

    @workflow.run
    async def run(self) -> str:
        await workflow.wait_condition(lambda: self.is_read)
        return "nothing was stolen"

    @workflow.signal
    def read(self) -> None:
        self.is_read = True
