"""The runbook for a PostgreSQL that is down: start it, check its health, and check its data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from temporalio import activity, workflow
from temporalio.common import RetryPolicy

from devserver.rehearsal import ledger

with workflow.unsafe.imports_passed_through():
    from postgres import Down, Postgres

T = TypeVar("T")


@dataclass
class Data:
    """The content of the database."""

    orders: int
    amount: int


@activity.defn
def is_up() -> bool:
    """Whether PostgreSQL answers."""
    try:
        return Postgres.here().query("select 1") == "1"
    except Down:
        return False


@activity.defn
def start_postgres() -> None:
    """Start it, unless it is running: an attempt whose result was lost may have started it."""
    if Postgres.here().start():
        ledger.effect("start_postgres")


@activity.defn
def check_health() -> None:
    """Fail, and be retried, until PostgreSQL has recovered and accepts writes."""
    writes = "create temp table probe (id int); insert into probe values (1); select pg_is_in_recovery(), id from probe"
    assert Postgres.here().query(writes) == "f|1"


@activity.defn
def check_data() -> Data:
    """Read every order."""
    orders, amount = Postgres.here().query("select count(*), sum(amount) from orders").split("|")
    return Data(int(orders), int(amount))


@workflow.defn
class RestartPostgres:
    """Start PostgreSQL if it is down, and check it."""

    @workflow.run
    async def run(self) -> Data:
        """The content of the database."""
        if not await do(is_up):
            await do(start_postgres)
        await do(check_health)
        return await do(check_data)


async def do(what: Callable[..., T], *args: Any) -> T:
    """Run an activity."""
    result: T = await workflow.execute_activity(
        what,
        args=args,
        start_to_close_timeout=timedelta(seconds=3),
        retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=100), maximum_interval=timedelta(seconds=1)),
    )
    return result
