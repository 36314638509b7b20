"""Temporary schedules that preview times, and the clean-up of those that killed processes left behind."""

from __future__ import annotations

import asyncio
import contextlib
import re
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta

from temporalio.api.common.v1 import WorkflowType
from temporalio.api.schedule.v1 import Schedule, ScheduleAction, ScheduleListEntry, ScheduleState
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflow.v1 import NewWorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import DescribeScheduleResponse

from ..client.timestamps import to_datetime
from ..errors import DevServerError
from .calls import ScheduleCalls
from .errors import ScheduleUnknown
from .spec import ScheduleSpec

PREFIX = "devserver-preview-"
ID = re.compile(re.escape(PREFIX) + "[0-9a-f]{32}")
WORKFLOW, QUEUE = "never-started", "never-polled"
NOTE = "temporary schedule of devserver schedule preview; safe to delete"
# A preview takes seconds: a temporary schedule that is older was left by a killed process.
ABANDONED_AFTER = timedelta(minutes=10)
MAX_REMOVED = 20


@contextlib.asynccontextmanager
async def temporary_schedule(calls: ScheduleCalls, spec: ScheduleSpec) -> AsyncIterator[str]:
    """Create a schedule without jitter that never acts, yield its id, and delete it when the block ends.

    It has no remaining actions and is not paused, so the server itself deletes an abandoned one within a week.
    """
    schedule_id = PREFIX + uuid.uuid4().hex
    action = NewWorkflowExecutionInfo(
        workflow_id=schedule_id, workflow_type=WorkflowType(name=WORKFLOW), task_queue=TaskQueue(name=QUEUE)
    )
    schedule = Schedule(
        spec=spec.to_proto(jitter=False),
        action=ScheduleAction(start_workflow=action),
        state=ScheduleState(limited_actions=True, remaining_actions=0, notes=NOTE),
    )
    try:
        await calls.create(schedule_id, schedule)
        yield schedule_id
    finally:
        with contextlib.suppress(ScheduleUnknown):
            await asyncio.shield(calls.delete(schedule_id))


def is_temporary(entry: ScheduleListEntry) -> bool:
    """Whether a listed schedule is a temporary one, by its id, workflow type and note."""
    action_and_note = (entry.info.workflow_type.name, entry.info.notes)
    return ID.fullmatch(entry.schedule_id) is not None and action_and_note == (WORKFLOW, NOTE)


async def remove_abandoned(calls: ScheduleCalls, own_id: str) -> None:
    """Delete temporary schedules that killed processes left behind; errors of the server are ignored.

    Both ages come from the server, so the clock of this machine does not matter.

    Args:
        own_id: A temporary schedule that exists now: its creation time tells the server's time.
    """
    with contextlib.suppress(DevServerError):
        entries = calls.list(f"ScheduleId STARTS_WITH '{PREFIX}'")
        others = [entry.schedule_id async for entry in entries if is_temporary(entry) and entry.schedule_id != own_id]
        if not others:
            return
        now = to_datetime((await calls.describe(own_id)).info.create_time)
        for schedule_id in others[:MAX_REMOVED]:
            with contextlib.suppress(ScheduleUnknown):  # another preview deleted it first
                response = await calls.describe(schedule_id)
                if _never_acted(response) and now - to_datetime(response.info.create_time) >= ABANDONED_AFTER:
                    await calls.delete(schedule_id)


def _never_acted(response: DescribeScheduleResponse) -> bool:
    action, info = response.schedule.action.start_workflow, response.info
    marks = (action.workflow_type.name, action.task_queue.name, response.schedule.state.notes)
    return marks == (WORKFLOW, QUEUE, NOTE) and not info.action_count and not info.running_workflows
