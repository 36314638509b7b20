"""Runbooks that upgrade a cluster under load: one role by role, and one that looks at each step."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from devserver.rehearsal.cluster import (
        ACTIVITIES,
        canary_run,
        member_states,
        membership,
        schema_versions,
        update_schema,
        upgrade_member,
    )

VERSION = "1.32.0"
ROLES = ("history", "matching", "worker", "frontend")
LONG = timedelta(seconds=90)
BEAT = timedelta(seconds=6)
SOON = RetryPolicy(initial_interval=timedelta(seconds=0.5), backoff_coefficient=1.0)
TWICE = RetryPolicy(maximum_attempts=2)

T = TypeVar("T")

__all__ = ["ACTIVITIES", "UpgradeOneByOne", "UpgradeRoles"]


@workflow.defn
class UpgradeRoles:
    """The new version for each role as a whole."""

    @workflow.run
    async def run(self) -> str:
        """Upgrade them."""
        for role in ROLES:
            await workflow.execute_activity(
                upgrade_member, args=[role, VERSION], start_to_close_timeout=LONG, retry_policy=TWICE
            )
        return f"every role is {VERSION}"


@workflow.defn
class UpgradeOneByOne:
    """The schema, then one process after the other, each once gossip knows all members and a workflow runs again."""

    @workflow.run
    async def run(self) -> str:
        """Upgrade them."""
        versions = await self._ask(schema_versions, "", "", "", False, VERSION)
        behind = [name for name in versions if versions.get(f"{name} wanted", versions[name]) != versions[name]]
        if behind:
            await self._ask(update_schema, VERSION)
        before = await self._ask(membership)
        members = [name for name in await self._ask(member_states) if name.rpartition("-")[0] in ROLES]
        for name in sorted(members, key=lambda name: ROLES.index(name.rpartition("-")[0])):
            await self._ask(upgrade_member, name, VERSION)
            for _ in range(30):
                if await self._ask(membership) == before:
                    break
                await workflow.sleep(1)
            await self._ask(canary_run)
        return f"{len(members)} processes are {VERSION}; schema updated: {', '.join(behind) or 'none'}"

    async def _ask(self, step: Callable[..., Awaitable[T]], *args: object) -> T:
        return await workflow.execute_activity(
            step, args=args, start_to_close_timeout=LONG, heartbeat_timeout=BEAT, retry_policy=SOON
        )
