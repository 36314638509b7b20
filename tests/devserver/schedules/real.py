"""Compares real schedules with their previews: which starts ran, in which order, and how their runs ended."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from temporalio.client import Client, WorkflowExecutionDescription, WorkflowExecutionStatus
from temporalio.common import SearchAttributeKey

from devserver import DevServer
from devserver.schedules import OverlapOutcome, ScheduleDescription, SchedulePreview, describe_schedule

from .conftest import worker

C = TypeVar("C")
T = TypeVar("T")

LIMIT = 240.0
POLL_SECONDS = 0.4
DUE_AT = SearchAttributeKey.for_datetime("TemporalScheduledStartTime")
NEWER: dict[str, Any] = {
    "history.enableCHASMSchedulerCreation": True,
    "history.chasmSchedulerCreationRolloutPercent": 100,
}
RESULTS = {
    WorkflowExecutionStatus.COMPLETED: "completed",
    WorkflowExecutionStatus.CANCELED: "canceled",
    WorkflowExecutionStatus.TERMINATED: "terminated",
}


@dataclass(frozen=True)
class State:
    """A real schedule: its counts, and its runs by id in the order in which they started, each with the number of its
    start and its result (None while it is open)."""

    counts: ScheduleDescription
    runs: dict[str, tuple[int, str | None]]

    def processed(self, expected: OverlapOutcome) -> int:
        """How many starts it has processed; the server does not count replaced ones."""
        now = self.counts
        return now.actions + now.skipped + now.missed + now.buffered + expected.count("replaced")


async def look(client: Client, schedule_id: str, due: Iterable[datetime]) -> State:
    """The state of a schedule; `due` are all its times."""
    numbers = {when: number for number, when in enumerate(due, 1)}
    counts = await describe_schedule(client, schedule_id)
    handles = [client.get_workflow_handle(run.workflow_id) for run in counts.recent]
    found: list[WorkflowExecutionDescription] = await asyncio.gather(*(handle.describe() for handle in handles))
    found.sort(key=lambda run: (run.start_time, run.typed_search_attributes[DUE_AT]))
    return State(
        counts,
        {
            run.id: (numbers[run.typed_search_attributes[DUE_AT]], RESULTS.get(run.status) if run.status else None)
            for run in found
        },
    )


async def until(
    look: Callable[[], Awaitable[State]],
    reached: Callable[[State], bool],
    what: object,
    every: float = POLL_SECONDS,
) -> State:
    """The first state for which `reached` is true; it is read again after an interval."""
    deadline = time.monotonic() + LIMIT
    while not reached(state := await look()):
        assert time.monotonic() < deadline, f"not reached: {what}; the state is {state}"
        await asyncio.sleep(every)
    return state


def check(preview: SchedulePreview, policy: str, state: State) -> None:
    """Which starts ran, in which order, how each run ended, and how many were skipped or missed match the preview."""
    outcome = outcome_of(preview, policy)
    what = (preview.scheduler, preview.schedule_id)
    expected = [(number, outcome.starts[number - 1].result) for number in outcome.ran]
    assert list(state.runs.values()) == expected, what
    counted = (state.counts.skipped, state.counts.missed)
    assert counted == (outcome.count("skipped"), outcome.count("missed")), what


def outcome_of(preview: SchedulePreview, policy: str) -> OverlapOutcome:
    """The previewed outcome of a policy."""
    return next(outcome for outcome in preview.outcomes if outcome.policy == policy)


def on_both(cases: Callable[[Client], Iterable[Awaitable[T]]]) -> list[list[T]]:
    """The results of all cases, run at the same time on a server with the older scheduler and on one with the newer."""

    async def run(address: str) -> list[T]:
        client = await Client.connect(address)
        async with worker(client):
            return await asyncio.gather(*cases(client))

    async def both(*addresses: str) -> list[list[T]]:
        return await asyncio.gather(*map(run, addresses))

    with DevServer.start(ui=False) as older, DevServer.start(ui=False, dynamic_config=NEWER) as newer:
        return asyncio.run(both(older.address, newer.address))
