"""A runbook that waits for its operator, and then starts every member of the cluster that does not run."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from devserver.rehearsal.cluster import ACTIVITIES, member_states, start_member

SOON = RetryPolicy(initial_interval=timedelta(seconds=0.5), backoff_coefficient=1.0)

__all__ = ["ACTIVITIES", "ClusterShift"]


@workflow.defn
class ClusterShift:
    """Repairs the cluster as often as its operator asks for it."""

    def __init__(self) -> None:
        self._asked = False

    @workflow.run
    async def run(self) -> None:
        """Wait for the operator."""
        while True:
            await workflow.wait_condition(lambda: self._asked)
            self._asked = False
            states = await workflow.execute_activity(
                member_states, start_to_close_timeout=timedelta(seconds=10), retry_policy=SOON
            )
            for name in (name for name, state in states.items() if state != "running"):
                await workflow.execute_activity(
                    start_member,
                    name,
                    start_to_close_timeout=timedelta(seconds=90),
                    heartbeat_timeout=timedelta(seconds=3),
                    retry_policy=SOON,
                )

    @workflow.signal
    def repair(self) -> None:
        """Start what does not run."""
        self._asked = True
