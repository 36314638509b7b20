"""The runbook that moves the orders of each region to a new table, in five days per region, while customers buy.

Day 1: write to both tables. Nights 1 to 3: copy old rows in chunks. Day 4: compare. Day 5: cut over, and continue as
new with the next region.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, TypeVar

from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError

from devserver.rehearsal import ledger

with workflow.unsafe.imports_passed_through():
    from regions import Orders

DAY = timedelta(days=1)
NIGHTS = 3
T = TypeVar("T")


@dataclass
class Migration:
    """The remaining regions, the chunk size, and the finished regions."""

    regions: list[str]
    chunk: int = 50  # rows that are copied at a time
    done: list[str] = field(default_factory=list)


@dataclass
class Night:
    """The copy job of one night: a number of chunks of rows, after an id."""

    region: str
    after: int
    chunk: int
    chunks: int


@activity.defn
def write_both(region: str) -> None:
    """Make the region write to both tables."""
    if Orders.here(region).write_both():
        ledger.effect("write_both", key=region)


@activity.defn
def backfill(night: Night) -> int:
    """Copy a night's rows; returns the last copied id. A retry continues where the previous attempt stopped."""
    orders = Orders.here(night.region)
    details = activity.info().heartbeat_details
    done, last = (int(details[0]), int(details[1])) if details else (0, night.after)
    for number in range(done + 1, night.chunks + 1):
        copied = orders.copy(last, night.chunk)
        if not copied:
            break
        last = copied
        ledger.effect("copy", key=f"{night.region} up to {last}")
        activity.heartbeat(number, last)
        orders.customer_buys(amount=1)
    return last


@activity.defn
def compare(region: str) -> int:
    """Number of rows that differ between the tables."""
    return Orders.here(region).differences()


@activity.defn
def cut_over(region: str) -> None:
    """Serve from the new table."""
    if Orders.here(region).cut_over():
        ledger.effect("cut_over", key=region)


@workflow.defn
class MigrateOrders:
    """Migrate one region, then continue with the next."""

    def __init__(self) -> None:
        self.chunk = 0

    @workflow.run
    async def run(self, migration: Migration) -> list[str]:
        """The migrated regions, in order."""
        self.chunk = self.chunk or migration.chunk
        region, *left = migration.regions
        await do(write_both, region)
        last = 0
        for _ in range(NIGHTS):
            await workflow.sleep(DAY)
            last = await do(backfill, Night(region, last, self.chunk, chunks=3))
        await workflow.sleep(DAY)
        differences = await do(compare, region)
        if differences:
            raise ApplicationError(f"{differences} rows of {region} differ; nothing was cut over", non_retryable=True)
        await workflow.sleep(DAY)
        await do(cut_over, region)
        done = [*migration.done, region]
        if left:
            workflow.continue_as_new(replace(migration, regions=left, chunk=self.chunk, done=done))
        return done

    @workflow.update
    def set_chunk(self, rows: int) -> int:
        """Set the chunk size from the next night on; returns the previous size."""
        before, self.chunk = self.chunk, rows
        return before

    @set_chunk.validator
    def check_chunk(self, rows: int) -> None:
        """Reject larger chunks: customers would notice them."""
        if not 1 <= rows <= 500:
            raise ValueError("a chunk has 1 to 500 rows")


async def do(what: Callable[..., T], *args: Any) -> T:
    """Run an activity: it is retried after a second without a heartbeat."""
    result: T = await workflow.execute_activity(
        what,
        args=args,
        start_to_close_timeout=timedelta(seconds=10),
        heartbeat_timeout=timedelta(seconds=1),
        retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=100)),
    )
    return result
