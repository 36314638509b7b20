"""Steers schedules: trigger, backfill, pause, unpause, delete."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Literal

from temporalio.api.schedule.v1 import (
    BackfillRequest,
    SchedulePatch,
    TriggerImmediatelyRequest,
)
from temporalio.api.workflowservice.v1 import DescribeScheduleResponse
from temporalio.client import Client

from ..client.timestamps import moment
from ..errors import OptionError
from .calls import MOST_TIMES, Calls, stamp
from .overlap import Policy
from .preview import wire_policy

TRIGGER_SECONDS = 5.0
POLL_SECONDS = 0.05
INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True)
class Triggered:
    """What a schedule did when it was told to act at once; `run` is the id of the workflow that it started.

    `skipped` is by its overlap policy, `buffered` waits for the end of an open run, `asked` is not known yet.
    """

    what: Literal["started", "skipped", "buffered", "asked"]
    policy: Policy | None
    workflow_id: str | None = None


@dataclass(frozen=True)
class Backfill:
    """The times (UTC) for which a schedule is to act afterwards; `more` tells that there are over 1,000."""

    times: tuple[datetime, ...]
    more: bool


async def trigger_schedule(client: Client, schedule_id: str, policy: Policy | None = None) -> Triggered:
    """Have it act at once, by `policy` instead of its own, and tell what it did (within 5 seconds).

    Raises:
        ScheduleUnknown: There is none of that id.
    """
    calls = Calls(client)
    before = await calls.describe(schedule_id)
    at = _unused_second(before)
    request = TriggerImmediatelyRequest(overlap_policy=wire_policy(policy), scheduled_time=stamp(at))
    await calls.patch(schedule_id, SchedulePatch(trigger_immediately=request))
    deadline = time.monotonic() + TRIGGER_SECONDS
    while time.monotonic() < deadline:
        found = _what_it_did(before, await calls.describe(schedule_id), at, policy)
        if found is not None:
            return found
        await asyncio.sleep(POLL_SECONDS)
    return Triggered("asked", policy)


def _unused_second(found: DescribeScheduleResponse) -> datetime:
    """Now, to the second, or the next one that no run has: ids of runs end with it."""
    taken = {moment(action.schedule_time).replace(microsecond=0) for action in found.info.recent_actions}
    at = datetime.now(timezone.utc).replace(microsecond=0)
    while at in taken:
        at += timedelta(seconds=1)
    return at


def _what_it_did(
    before: DescribeScheduleResponse, now: DescribeScheduleResponse, at: datetime, policy: Policy | None
) -> Triggered | None:
    for action in now.info.recent_actions:
        if moment(action.schedule_time) == at:
            return Triggered("started", policy, action.start_workflow_result.workflow_id)
    if now.info.overlap_skipped > before.info.overlap_skipped:
        return Triggered("skipped", policy)
    if now.info.buffer_size > before.info.buffer_size:
        return Triggered("buffered", policy)
    return None


async def plan_backfill(client: Client, schedule_id: str, start: datetime, end: datetime) -> Backfill:
    """When it was due from `start` to `end`, both included.

    Raises:
        ScheduleUnknown: There is none of that id.
        OptionError: `end` is not later than `start`.
    """
    if end <= start:
        raise OptionError(f"a backfill goes from earlier to later: {start} is not before {end}")
    times = await Calls(client).due(schedule_id, start - INSTANT, end)
    return Backfill(times, len(times) >= MOST_TIMES)


async def backfill_schedule(
    client: Client, schedule_id: str, start: datetime, end: datetime, policy: Policy | None = None
) -> None:
    """Have it act for each time it was due from `start` to `end`, both included; does not wait for that.

    Raises:
        ScheduleUnknown: There is none of that id.
    """
    request = BackfillRequest(
        start_time=stamp(start - INSTANT), end_time=stamp(end), overlap_policy=wire_policy(policy)
    )
    await Calls(client).patch(schedule_id, SchedulePatch(backfill_request=[request]))


async def pause_schedule(client: Client, schedule_id: str, note: str) -> None:
    """Stop it from acting until it is unpaused; open runs go on.

    Raises:
        ScheduleUnknown: There is none of that id.
    """
    await Calls(client).patch(schedule_id, SchedulePatch(pause=note))


async def unpause_schedule(client: Client, schedule_id: str, note: str) -> None:
    """Let it act again.

    Raises:
        ScheduleUnknown: There is none of that id.
    """
    await Calls(client).patch(schedule_id, SchedulePatch(unpause=note))


async def delete_schedule(client: Client, schedule_id: str) -> None:
    """Delete it; open runs go on.

    Raises:
        ScheduleUnknown: There is none of that id.
    """
    await Calls(client).delete(schedule_id)
