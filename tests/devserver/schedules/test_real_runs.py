"""What a preview says of overlaps, checked against what the real server does with real runs, on both its schedulers."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from temporalio.client import Client, WorkflowExecution, WorkflowExecutionStatus
from temporalio.common import SearchAttributeKey

from devserver import DevServer
from devserver.schedules import (
    POLICIES,
    Description,
    Interval,
    NewSchedule,
    Outcome,
    Policy,
    Preview,
    Spec,
    create_schedule,
    describe_schedule,
    preview_schedule,
)
from devserver.store.request import Executable

from .conftest import QUEUE, worker

LIMIT = 90.0
POLL_SECONDS = 0.2
EVERY, RUN, TIMES = 2, 5, 5  # no run ends within a second of another's time, so a slow machine does not matter
DUE_AT = SearchAttributeKey.for_datetime("TemporalScheduledStartTime")
NEWER: dict[str, Any] = {
    "history.enableCHASMSchedulerCreation": True,
    "history.chasmSchedulerCreationRolloutPercent": 100,
}

ENDS: dict[WorkflowExecutionStatus | None, str] = {
    WorkflowExecutionStatus.COMPLETED: "completed",
    WorkflowExecutionStatus.CANCELED: "cancelled",
    WorkflowExecutionStatus.TERMINATED: "terminated",
}


@dataclass(frozen=True)
class Case:
    """A schedule to be tried."""

    name: str
    policy: Policy
    run_seconds: int = RUN
    cancel_seconds: int = 0
    catchup_seconds: int | None = None


@dataclass(frozen=True)
class Tried:
    """What was foreseen of it, the schedule in the end, and how its starts ended in the order in which they ran."""

    case: Case
    preview: Preview
    found: Description
    ran: list[tuple[int, str]]

    @property
    def foreseen(self) -> Outcome:
        """Of its own policy."""
        return _own(self.preview)


CASES = (
    *(Case(policy, policy) for policy in POLICIES),
    Case("slow to cancel", "cancel_other", run_seconds=9, cancel_seconds=3),
    Case("short catch-up", "buffer_all", catchup_seconds=10),
)


def test_previews_come_true(installed: Executable) -> None:
    """Which starts run, in which order, how each run ends, and how many are skipped or missed: as it was foreseen."""

    async def run(*addresses: str) -> list[list[Tried]]:
        return await asyncio.gather(*(_all(address) for address in addresses))

    with DevServer.start(ui=False) as older, DevServer.start(ui=False, dynamic_config=NEWER) as newer:
        tried = asyncio.run(run(older.address, newer.address))
    assert {one.preview.scheduler for one in tried[0]} == {"workflow"}
    assert {one.preview.scheduler for one in tried[1]} == {"chasm"}
    for one in (*tried[0], *tried[1]):
        foreseen = one.foreseen
        what = (one.case, one.preview.scheduler)
        assert (one.preview.policy, len(foreseen.starts)) == (one.case.policy, TIMES), what
        assert one.ran == [(number, foreseen.starts[number - 1].fate) for number in foreseen.ran], what
        assert (one.found.skipped, one.found.missed) == (foreseen.count("skipped"), foreseen.count("missed")), what


async def _all(address: str) -> list[Tried]:
    client = await Client.connect(address)
    async with worker(client):
        return await asyncio.gather(*(_try(client, case) for case in CASES))


async def _try(client: Client, case: Case) -> Tried:
    """Preview a schedule, then let it run to its end."""
    now = datetime.now(timezone.utc)
    begin = datetime.fromtimestamp((now.timestamp() // EVERY + 2) * EVERY, timezone.utc)
    new = NewSchedule(
        schedule_id=case.name,
        workflow_type="Lasts",
        task_queue=QUEUE,
        spec=Spec(
            intervals=(Interval(timedelta(seconds=EVERY)),),
            start=begin,
            end=begin + timedelta(seconds=EVERY * (TIMES - 1)),
        ),
        input=(case.run_seconds, case.cancel_seconds),
        policy=case.policy,
        catchup_window=None if case.catchup_seconds is None else timedelta(seconds=case.catchup_seconds),
    )
    await create_schedule(client, new)
    preview = await preview_schedule(
        client,
        case.name,
        after=now,
        run_length=timedelta(seconds=case.run_seconds),
        cancel_length=timedelta(seconds=case.cancel_seconds),
    )
    found, runs = await _over(client, case.name, _own(preview))
    numbers = {when: number for number, when in enumerate(preview.times, 1)}
    ran = sorted((each.start_time, numbers[each.typed_search_attributes[DUE_AT]], ENDS[each.status]) for each in runs)
    return Tried(case, preview, found, [(number, fate) for _, number, fate in ran])


def _own(preview: Preview) -> Outcome:
    return next(each for each in preview.outcomes if each.policy == preview.policy)


async def _over(client: Client, schedule_id: str, foreseen: Outcome) -> tuple[Description, list[WorkflowExecution]]:
    """The schedule and its runs, when all its starts are dealt with and all runs are over."""
    deadline = time.monotonic() + LIMIT
    query = f"TemporalScheduledById = '{schedule_id}'"
    while True:
        found = await describe_schedule(client, schedule_id)
        runs = [each async for each in client.list_workflows(query)]
        dealt = found.actions + found.skipped + found.missed + foreseen.count("replaced")
        if dealt >= TIMES and len(runs) == found.actions and all(each.status in ENDS for each in runs):
            return found, runs
        assert time.monotonic() < deadline, f"{schedule_id} is not over: {found}, {len(runs)} runs, foreseen {foreseen}"
        await asyncio.sleep(POLL_SECONDS)
