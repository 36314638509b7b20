"""A workflow that is patient with a server that fails, and not with itself: what gets lost is soon given out again."""

from __future__ import annotations

from datetime import timedelta

from temporalio import activity, workflow

LOST_AFTER = timedelta(seconds=1)
STEPS = 3


@activity.defn
async def step(number: int) -> int:
    """A step of work."""
    return number


@workflow.defn
class Steps:
    """Does some steps, keeps every number it is told, and ends when it is told to."""

    def __init__(self) -> None:
        self.told: list[int] = []
        self.ended = False

    @workflow.run
    async def run(self) -> list[int]:
        """Activities, timers and signals; what it was told."""
        for number in range(STEPS):
            await workflow.execute_activity(step, number, start_to_close_timeout=LOST_AFTER)
            await workflow.sleep(0.1)
        await workflow.wait_condition(lambda: self.ended)
        await workflow.execute_activity(step, STEPS, start_to_close_timeout=LOST_AFTER)
        return self.told

    @workflow.signal
    def tell(self, number: int) -> None:
        """Keep a number."""
        self.told.append(number)

    @workflow.signal
    def end(self) -> None:
        """Enough."""
        self.ended = True
