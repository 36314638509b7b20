"""Runbooks that restart every role of a cluster under load: all at once, and one after the other."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from devserver.rehearsal.cluster import ACTIVITIES, canary_run, member_states, membership, restart_member

ROLES = ("history", "matching", "worker", "frontend")
LONG = timedelta(seconds=90)
BEAT = timedelta(seconds=6)
SOON = RetryPolicy(initial_interval=timedelta(seconds=0.5), backoff_coefficient=1.0)

T = TypeVar("T")

__all__ = ["ACTIVITIES", "RestartOneByOne", "RestartRoles"]


@workflow.defn
class RestartRoles:
    """Each role as a whole."""

    @workflow.run
    async def run(self) -> str:
        """Restart them."""
        for role in ROLES:
            await workflow.execute_activity(
                restart_member, role, start_to_close_timeout=LONG, heartbeat_timeout=BEAT, retry_policy=SOON
            )
        return "every role was restarted"


@workflow.defn
class RestartOneByOne:
    """One process after the other, each once the cluster runs a workflow and gossip knows all members again."""

    @workflow.run
    async def run(self) -> str:
        """Restart them."""
        before = await self._ask(membership)
        members = [name for name in await self._ask(member_states) if name.rpartition("-")[0] in ROLES]
        for name in sorted(members, key=lambda name: ROLES.index(name.rpartition("-")[0])):
            await self._ask(restart_member, name)
            for _ in range(30):
                if await self._ask(membership) == before:
                    break
                await workflow.sleep(1)
            await self._ask(canary_run)
        return f"{len(members)} processes were restarted"

    async def _ask(self, step: Callable[..., Awaitable[T]], *args: object) -> T:
        return await workflow.execute_activity(
            step, args=args, start_to_close_timeout=LONG, heartbeat_timeout=BEAT, retry_policy=SOON
        )
