"""List the schedules of a namespace, and describe one of them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from temporalio.api.common.v1 import Payload
from temporalio.api.schedule.v1 import ScheduleActionResult, ScheduleListEntry
from temporalio.client import Client
from temporalio.converter import DataConverter

from ..client.statuses import status_name
from ..client.timestamps import to_datetime
from .calls import ScheduleCalls
from .overlap import OverlapPolicy
from .preview import policy_from_proto
from .spec import spec_text
from .temporary_schedule import is_temporary

UNREADABLE = "(cannot be decoded here)"


@dataclass(frozen=True)
class ScheduleRow:
    """A schedule in a list, which may be a moment out of date. Times are in UTC.

    Args:
        spec: When it is due, for a person: `every 30m; 0 9 * * MON-FRI (Europe/Berlin)`.
        next_times: The next scheduled times.
        last_time: When it last acted; None if it never did.
    """

    schedule_id: str
    workflow_type: str
    spec: str
    paused: bool
    note: str
    next_times: tuple[datetime, ...]
    last_time: datetime | None


@dataclass(frozen=True)
class ScheduleRun:
    """A workflow run that a schedule started. Times are in UTC.

    Args:
        due: The scheduled time.
        started: When the run was started.
        status: The status of the run, in lower case: `running`, `completed`, `timed_out`.
    """

    workflow_id: str
    run_id: str
    due: datetime
    started: datetime
    status: str


@dataclass(frozen=True)
class ScheduleDescription:
    """A schedule in full. Times are in UTC.

    Args:
        workflow_id: What the ids of its runs begin with.
        input, memo: Values as JSON text, or a note that they cannot be decoded.
        spec: When it is due, for a person.
        start, end: The period in which it is due; None is unlimited.
        remaining_actions: How often it will still act; None is unlimited.
        actions: How many runs it started.
        skipped, missed, dropped: How many actions were skipped by the overlap policy, missed the catch-up window, or
            did not fit into the buffer.
        buffered: How many actions wait in the buffer.
        running: The ids of its open runs.
        recent: Its last runs.
        next_times: The next scheduled times.
        created, updated: When it was created and last updated (None: never).
    """

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
    """At most `limit` schedules that match a list filter, without the temporary schedules of previews.

    Raises:
        ScheduleRefused: The server refuses the filter.
        CannotAsk: The server does not answer.
    """
    count = 0
    async for entry in ScheduleCalls(client).list(query, limit):
        if is_temporary(entry):
            continue
        count += 1
        yield _row(entry)
        if count == limit:
            return


def _row(entry: ScheduleListEntry) -> ScheduleRow:
    info = entry.info
    return ScheduleRow(
        schedule_id=entry.schedule_id,
        workflow_type=info.workflow_type.name,
        spec=spec_text(info.spec),
        paused=info.paused,
        note=info.notes,
        next_times=tuple(map(to_datetime, info.future_action_times)),
        last_time=max((to_datetime(action.actual_time) for action in info.recent_actions), default=None),
    )


async def describe_schedule(client: Client, schedule_id: str) -> ScheduleDescription:
    """Describe a schedule.

    Raises:
        ScheduleUnknown: The schedule does not exist.
        CannotAsk: The server does not answer.
    """
    response = await ScheduleCalls(client).describe(schedule_id)
    schedule, info = response.schedule, response.info
    action, state, spec = schedule.action.start_workflow, schedule.state, schedule.spec
    converter = client.data_converter
    return ScheduleDescription(
        schedule_id=schedule_id,
        workflow_type=action.workflow_type.name,
        workflow_id=action.workflow_id,
        task_queue=action.task_queue.name,
        input=tuple([await _json_text(converter, payload) for payload in action.input.payloads]),
        memo={name: await _json_text(converter, payload) for name, payload in response.memo.fields.items()},
        spec=spec_text(spec),
        start=to_datetime(spec.start_time) if spec.HasField("start_time") else None,
        end=to_datetime(spec.end_time) if spec.HasField("end_time") else None,
        policy=policy_from_proto(schedule.policies.overlap_policy),
        catchup_window=schedule.policies.catchup_window.ToTimedelta(),
        pause_on_failure=schedule.policies.pause_on_failure,
        paused=state.paused,
        note=state.notes,
        remaining_actions=state.remaining_actions if state.limited_actions else None,
        running=tuple(execution.workflow_id for execution in info.running_workflows),
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
    return ScheduleRun(
        workflow_id=action.start_workflow_result.workflow_id,
        run_id=action.start_workflow_result.run_id,
        due=to_datetime(action.schedule_time),
        started=to_datetime(action.actual_time),
        status=status_name(action.start_workflow_status),
    )


async def _json_text(converter: DataConverter, payload: Payload) -> str:
    try:
        (value,) = await converter.decode([payload])
        return json.dumps(value, default=str)
    except Exception:  # noqa: BLE001 - a user's converter or codec may raise anything; this is only for display
        return UNREADABLE
