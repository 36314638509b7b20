"""Schedules that a project's settings declare: created, and updated when their declaration has changed.

A header of its workflows has a hash of the declaration, because the server gives back another form of it, and does not
change the memo of a schedule. A schedule whose declaration is the same is not touched: an update would drop the actions
that it missed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import timedelta, timezone
from typing import Any, Literal

from temporalio.client import Client

from ..config.durations import parse_duration
from ..system.time_zones import parse_time
from .calls import ScheduleCalls
from .errors import ScheduleExists, ScheduleUnknown
from .new_schedule import NewSchedule
from .operations import create_schedule, update_schedule
from .overlap import OVERLAP_POLICIES
from .spec import Calendar, Interval, ScheduleSpec

MARK = "devserver-declaration"  # the header


async def declare_schedule(
    client: Client, schedule_id: str, table: Mapping[str, Any]
) -> Literal["created", "updated", "unchanged"]:
    """Create a schedule in the client's namespace, or update it if its declaration is another one.

    Args:
        schedule_id: The id of the schedule.
        table: Its declaration; see `declarations.SCHEDULE_KEYS`.

    Raises:
        OptionError: A time or a duration in it cannot be read.
        ScheduleRefused: The server refuses it; the message has its reason.
        CannotAsk: The server does not answer.
    """
    new = new_schedule(schedule_id, table)
    try:
        described = await ScheduleCalls(client).describe(schedule_id)
    except ScheduleUnknown:
        try:
            await create_schedule(client, new)
        except ScheduleExists:  # another process was faster
            return "unchanged"
        return "created"
    headers = described.schedule.action.start_workflow.header.fields
    if MARK in headers and headers[MARK].data == new.headers[MARK]:
        return "unchanged"
    await update_schedule(client, new)
    return "updated"


def new_schedule(schedule_id: str, table: Mapping[str, Any]) -> NewSchedule:
    """The schedule of a declaration.

    Raises:
        OptionError: A time or a duration in it cannot be read.
    """
    spec = ScheduleSpec(
        intervals=tuple(Interval.parse(text, "interval") for text in table.get("interval", ())),
        crons=tuple(table.get("cron", ())),
        calendars=tuple(Calendar.parse(text, "calendar") for text in table.get("calendar", ())),
        skip=tuple(Calendar.parse(text, "skip") for text in table.get("skip", ())),
        time_zone=table.get("time-zone"),
        jitter=_duration(table, "jitter"),
        start=parse_time(table["start-time"], timezone.utc, "start-time") if "start-time" in table else None,
        end=parse_time(table["end-time"], timezone.utc, "end-time") if "end-time" in table else None,
    )
    policy = _plain(table.get("overlap-policy", "Skip"))
    return NewSchedule(
        schedule_id=schedule_id,
        workflow_type=table["type"],
        task_queue=table["task-queue"],
        spec=spec,
        workflow_id=table.get("workflow-id"),
        input=table.get("input", ()),
        policy=next(known for known in OVERLAP_POLICIES if _plain(known) == policy),
        catchup_window=_duration(table, "catchup-window"),
        pause_on_failure=table.get("pause-on-failure", False),
        paused=table.get("paused", False),
        note=table.get("notes", ""),
        memo=table.get("memo", {}),
        headers={MARK: _hash(table)},
        remaining_actions=table.get("remaining-actions"),
        execution_timeout=_duration(table, "execution-timeout"),
        run_timeout=_duration(table, "run-timeout"),
    )


def _plain(policy: str) -> str:
    return policy.lower().replace("_", "")


def _duration(table: Mapping[str, Any], key: str) -> timedelta | None:
    return timedelta(seconds=parse_duration(table[key], key)) if key in table else None


def _hash(table: Mapping[str, Any]) -> bytes:
    return hashlib.sha256(json.dumps(table, sort_keys=True).encode()).hexdigest()[:16].encode()
