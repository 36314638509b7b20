"""Two runbooks for a cluster without history processes: one that restarts the frontends, and one that looks."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from devserver.rehearsal.cluster import ACTIVITIES, canary, member_states, restart_member, start_member

SOON = RetryPolicy(initial_interval=timedelta(seconds=0.5), backoff_coefficient=1.0)

__all__ = ["ACTIVITIES", "RecoverMembers", "RestartFrontends"]


@workflow.defn
class RestartFrontends:
    """What the alert suggests: clients see errors of the frontend, so the frontends are restarted."""

    @workflow.run
    async def run(self) -> str:
        """Restart every frontend."""
        await workflow.execute_activity(member_states, start_to_close_timeout=timedelta(seconds=10))
        await workflow.execute_activity(restart_member, "frontend", start_to_close_timeout=timedelta(seconds=90))
        return "the frontends were restarted"


@workflow.defn
class RecoverMembers:
    """Start what does not run, and end when the cluster acknowledges a workflow."""

    @workflow.run
    async def run(self) -> str:
        """Recover the cluster."""
        states = await workflow.execute_activity(member_states, start_to_close_timeout=timedelta(seconds=10))
        down = [name for name, state in states.items() if state != "running"]
        for name in down:
            await workflow.execute_activity(
                start_member,
                name,
                start_to_close_timeout=timedelta(seconds=90),
                heartbeat_timeout=timedelta(seconds=3),
                retry_policy=SOON,
            )
        await workflow.execute_activity(canary, start_to_close_timeout=timedelta(seconds=10), retry_policy=SOON)
        return f"started {', '.join(down)}" if down else "every member was running"
