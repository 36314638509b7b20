"""Runbooks for roles that end when they start: one that tries again, and one that looks why."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from devserver.rehearsal.cluster import (
        ACTIVITIES,
        canary_run,
        dynamic_config_problem,
        member_states,
        schema_versions,
        start_member,
        update_schema,
        write_dynamic_config,
    )

SHORT = timedelta(seconds=15)
LONG = timedelta(seconds=90)
BEAT = timedelta(seconds=6)
SOON = RetryPolicy(initial_interval=timedelta(seconds=0.5), backoff_coefficient=1.0)
ONCE = RetryPolicy(maximum_attempts=1)
KNOWN_GOOD = "history.cacheMaxSize:\n  - value: 512\n"  # as it is in version control

T = TypeVar("T")

__all__ = ["ACTIVITIES", "RepairStart", "StartAgain"]


@workflow.defn
class StartAgain:
    """A role is down, so it is started."""

    @workflow.run
    async def run(self) -> str:
        """Start every member that does not run."""
        states = await workflow.execute_activity(member_states, start_to_close_timeout=SHORT)
        for name in (name for name, state in states.items() if state != "running"):
            await workflow.execute_activity(
                start_member, name, start_to_close_timeout=LONG, retry_policy=RetryPolicy(maximum_attempts=3)
            )
        return "every member was started"


@workflow.defn
class RepairStart:
    """See whether a member can start: its dynamic configuration, its schema. Then start what is down."""

    @workflow.run
    async def run(self) -> str:
        """Repair the cluster."""
        done = []
        await self._ask(member_states)
        problem = await self._ask(dynamic_config_problem)
        if problem:
            await self._ask(write_dynamic_config, KNOWN_GOOD)
            done.append(f"dynamic configuration rolled back ({problem})")
        versions = await self._ask(schema_versions)
        behind = [name for name in versions if versions.get(f"{name} wanted", versions[name]) != versions[name]]
        if behind:
            await self._ask(update_schema)
            done.append(f"schema updated ({', '.join(behind)})")
        while True:
            states = await self._ask(member_states)
            for name in (name for name, state in states.items() if state != "running"):
                await self._ask(start_member, name)
                done.append(f"{name} started")
            if await self._runs():
                return ", ".join(done) or "nothing was wrong"

    async def _runs(self) -> bool:
        try:
            await workflow.execute_activity(
                canary_run, start_to_close_timeout=LONG, heartbeat_timeout=BEAT, retry_policy=ONCE
            )
        except ActivityError:
            return False
        return True

    async def _ask(self, step: Callable[..., Awaitable[T]], *args: object) -> T:
        return await workflow.execute_activity(
            step, args=args, start_to_close_timeout=LONG, heartbeat_timeout=BEAT, retry_policy=SOON
        )
