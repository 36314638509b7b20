"""Runbooks for a cluster whose PostgreSQL fails: two that do what alerts suggest, and one that looks."""

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
        database_connections,
        database_probe,
        end_connections,
        free_disk,
        member_states,
        restart_member,
        start_member,
    )

DATABASE = "postgres"
OURS = "temporal"  # how the connections of the roles are named
SHORT = timedelta(seconds=15)
LONG = timedelta(seconds=90)
BEAT = timedelta(seconds=6)
SOON = RetryPolicy(initial_interval=timedelta(seconds=0.5), backoff_coefficient=1.0)
ONCE = RetryPolicy(maximum_attempts=1)

T = TypeVar("T")

__all__ = ["ACTIVITIES", "RecoverDatabase", "RestartHistory", "StartDatabase"]


@workflow.defn
class RestartHistory:
    """Clients see "shard status unknown", so the history processes are restarted."""

    @workflow.run
    async def run(self) -> str:
        """Restart them."""
        await workflow.execute_activity(member_states, start_to_close_timeout=SHORT)
        await workflow.execute_activity(
            restart_member, "history", start_to_close_timeout=LONG, retry_policy=RetryPolicy(maximum_attempts=2)
        )
        return "the history processes were restarted"


@workflow.defn
class StartDatabase:
    """The database is down, so it is started."""

    @workflow.run
    async def run(self) -> str:
        """Start it."""
        await workflow.execute_activity(member_states, start_to_close_timeout=SHORT)
        await workflow.sleep(3)  # until the alert comes
        await workflow.execute_activity(
            start_member, DATABASE, start_to_close_timeout=LONG, retry_policy=RetryPolicy(maximum_attempts=3)
        )
        return "the database was started"


@workflow.defn
class RecoverDatabase:
    """Probe the database with a write, repair what is found, and end when the cluster runs a workflow."""

    @workflow.run
    async def run(self) -> str:
        """Recover the cluster."""
        await workflow.execute_activity(member_states, start_to_close_timeout=SHORT)
        await workflow.sleep(3)  # until the alert comes
        done = []
        if not await self._does(database_probe):
            done.append(await self._start_database())
        for client, count in (await self._ask(database_connections)).items():
            if client not in (OURS, "devserver", "max_connections") and count > 20:
                await self._ask(end_connections, client)
                done.append(f"connections of {client} ended")
        while True:
            states = await self._ask(member_states)
            for name in (name for name, state in states.items() if state != "running"):
                await self._ask(start_member, name)
                done.append(f"{name} started")
            if await self._does(canary_run):
                return ", ".join(done) or "nothing was wrong"

    async def _does(self, step: Callable[..., Awaitable[float]]) -> bool:
        """Whether a step succeeds at once."""
        try:
            await workflow.execute_activity(
                step, start_to_close_timeout=LONG, heartbeat_timeout=BEAT, retry_policy=ONCE
            )
        except ActivityError:
            return False
        return True

    async def _start_database(self) -> str:
        """Start it; if it does not come, its disk may be full."""
        try:
            await workflow.execute_activity(
                start_member, DATABASE, start_to_close_timeout=LONG, heartbeat_timeout=BEAT, retry_policy=ONCE
            )
            if await self._does(database_probe):
                return "database started"
        except ActivityError:
            pass
        await self._ask(free_disk)
        await self._ask(start_member, DATABASE)
        await self._ask(database_probe)
        return "disk freed, database started"

    async def _ask(self, step: Callable[..., Awaitable[T]], *args: object) -> T:
        return await workflow.execute_activity(
            step, args=args, start_to_close_timeout=LONG, heartbeat_timeout=BEAT, retry_policy=SOON
        )
