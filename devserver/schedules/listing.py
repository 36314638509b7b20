"""The schedules of a namespace, and one of them in full."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import WorkflowExecutionStatus
from temporalio.api.schedule.v1 import ScheduleActionResult, ScheduleListEntry
from temporalio.client import Client
from temporalio.converter import DataConverter

from ..client.timestamps import to_datetime
from .calls import ScheduleCalls
from .overlap import OverlapPolicy
from .preview import policy_from_proto
from .spec import spec_text
from .temporary_schedule import is_temporary

UNREADABLE = "(cannot be decoded here)"


@dataclass(frozen=True)
class ScheduleRow:
    """A schedule as lists show it, which may be a to_datetime behind; times are in UTC."""

    schedule_id: str
    workflow_type: str
    spec: str
    paused: bool
    note: str
    next_times: tuple[datetime, ...]
    last_time: datetime | None


@dataclass(frozen=True)
class ScheduleRun:
    """A workflow that a schedule started: when it was due, when it began, how it is (`running`, `completed`)."""

    workflow_id: str
    run_id: str
    due: datetime
    started: datetime
    status: str


@dataclass(frozen=True)
class ScheduleDescription:
    """A schedule as it is now; texts of `input` and `memo` are JSON where it can be decoded. Times are in UTC."""

    schedule_id: str
    workflow_type: str
    workflow_id: str
    task_queue: str
    input: tuple[str, ...]
    memo: dict[str, str]
    spec: str
    start: datetime | None
    end: datetime | None
    policy: OverlapPolicy
    catchup_window: timedelta
    pause_on_failure: bool
    paused: bool
    note: str
    remaining_actions: int | None
    actions: int
    skipped: int
    missed: int
    dropped: int
    buffered: int
    running: tuple[str, ...]
    recent: tuple[ScheduleRun, ...]
    next_times: tuple[datetime, ...]
    created: datetime
    updated: datetime | None


async def list_schedules(client: Client, *, query: str = "", limit: int = 1000) -> AsyncIterator[ScheduleRow]:
    """At most `limit` schedules that fit a query, page by page; without the temporary ones of previews.

    Raises:
        ScheduleRefused: The server does not understand the query.
        CannotAsk: The server does not answer.
    """
    given = 0
    async for entry in ScheduleCalls(client).listed(query, limit):
        if is_temporary(entry):
            continue
        given += 1
        yield _row(entry)
        if given == limit:
            return


def _row(entry: ScheduleListEntry) -> ScheduleRow:
    info = entry.info
    last = max((to_datetime(action.actual_time) for action in info.recent_actions), default=None)
    return ScheduleRow(
        schedule_id=entry.schedule_id,
        workflow_type=info.workflow_type.name,
        spec=spec_text(info.spec),
        paused=info.paused,
        note=info.notes,
        next_times=tuple(map(to_datetime, info.future_action_times)),
        last_time=last,
    )


async def describe_schedule(client: Client, schedule_id: str) -> ScheduleDescription:
    """One schedule.

    Raises:
        ScheduleUnknown: There is none of that id.
        CannotAsk: The server does not answer.
    """
    found = await ScheduleCalls(client).describe(schedule_id)
    schedule, info = found.schedule, found.info
    action, state, spec = schedule.action.start_workflow, schedule.state, schedule.spec
    return ScheduleDescription(
        schedule_id=schedule_id,
        workflow_type=action.workflow_type.name,
        workflow_id=action.workflow_id,
        task_queue=action.task_queue.name,
        input=tuple([await _text(client.data_converter, each) for each in action.input.payloads]),
        memo={name: await _text(client.data_converter, each) for name, each in found.memo.fields.items()},
        spec=spec_text(spec),
        start=to_datetime(spec.start_time) if spec.HasField("start_time") else None,
        end=to_datetime(spec.end_time) if spec.HasField("end_time") else None,
        policy=policy_from_proto(schedule.policies.overlap_policy),
        catchup_window=schedule.policies.catchup_window.ToTimedelta(),
        pause_on_failure=schedule.policies.pause_on_failure,
        paused=state.paused,
        note=state.notes,
        remaining_actions=state.remaining_actions if state.limited_actions else None,
        running=tuple(each.workflow_id for each in info.running_workflows),
        actions=info.action_count,
        skipped=info.overlap_skipped,
        missed=info.missed_catchup_window,
        dropped=info.buffer_dropped,
        buffered=info.buffer_size,
        recent=tuple(map(_run, info.recent_actions)),
        next_times=tuple(map(to_datetime, info.future_action_times)),
        created=to_datetime(info.create_time),
        updated=to_datetime(info.update_time) if info.update_time.seconds > 0 else None,
    )


def _run(action: ScheduleActionResult) -> ScheduleRun:
    status = WorkflowExecutionStatus.Name(action.start_workflow_status).removeprefix("WORKFLOW_EXECUTION_STATUS_")
    return ScheduleRun(
        workflow_id=action.start_workflow_result.workflow_id,
        run_id=action.start_workflow_result.run_id,
        due=to_datetime(action.schedule_time),
        started=to_datetime(action.actual_time),
        status=status.lower(),
    )


async def _text(converter: DataConverter, payload: Payload) -> str:
    try:
        (value,) = await converter.decode([payload])
        return json.dumps(value, default=str)
    except Exception:  # noqa: BLE001 - converters and codecs raise what they like, and it is only shown
        return UNREADABLE
