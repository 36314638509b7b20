"""A workflow that survives outages: lost tasks time out soon and are retried."""

from __future__ import annotations

from datetime import timedelta

from temporalio import activity, workflow

LOST_AFTER = timedelta(seconds=1)
STEPS = 3


@activity.defn
async def step(number: int) -> int:
    """Run a step."""
    return number


@workflow.defn
class Steps:
    """Run some steps, record every number that is signaled, and end on a signal."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.ended = False

    @workflow.run
    async def run(self) -> list[int]:
        """Return the signaled numbers, after activities and timers."""
        for number in range(STEPS):
            await workflow.execute_activity(step, number, start_to_close_timeout=LOST_AFTER)
            await workflow.sleep(0.1)
        await workflow.wait_condition(lambda: self.ended)
        await workflow.execute_activity(step, STEPS, start_to_close_timeout=LOST_AFTER)
        return self.numbers

    @workflow.signal
    def tell(self, number: int) -> None:
        """Record a number."""
        self.numbers.append(number)

    @workflow.signal
    def end(self) -> None:
        """End the workflow."""
        self.ended = True
