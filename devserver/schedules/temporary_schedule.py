"""A schedule that lasts as long as a question about it: made, asked, deleted; and those that killed ones have left."""

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
NOTE = "temporary, of devserver schedule preview; may be deleted"
# A question takes seconds: what is older was left by a process that was killed.
LEFT_AFTER = timedelta(minutes=10)
MOST_REMOVED = 20


@contextlib.asynccontextmanager
async def temporary_schedule(calls: ScheduleCalls, spec: ScheduleSpec) -> AsyncIterator[str]:
    """A schedule without jitter that never acts, for as long as the block lasts, however that ends.

    It has no actions left, and is not paused: such a one the server itself removes, after a week at most.
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
    """Whether a schedule of a list is such a one, by all that it tells."""
    told = (entry.info.workflow_type.name, entry.info.notes)
    return ID.fullmatch(entry.schedule_id) is not None and told == (WORKFLOW, NOTE)


async def remove_abandoned(calls: ScheduleCalls, own: str) -> None:
    """Delete those that killed processes have left, as far as the server lets us; `own` is one that is there now.

    Both ages are the server's word, so it does not matter how this machine's clock goes.
    """
    with contextlib.suppress(DevServerError):
        entries = calls.listed(f"ScheduleId STARTS_WITH '{PREFIX}'")
        others = [each.schedule_id async for each in entries if is_temporary(each) and each.schedule_id != own]
        if not others:
            return
        now = to_datetime((await calls.describe(own)).info.create_time)
        for schedule_id in others[:MOST_REMOVED]:
            with contextlib.suppress(ScheduleUnknown):  # another preview was faster
                found = await calls.describe(schedule_id)
                if _never_acted(found) and now - to_datetime(found.info.create_time) >= LEFT_AFTER:
                    await calls.delete(schedule_id)


def _never_acted(found: DescribeScheduleResponse) -> bool:
    action, info = found.schedule.action.start_workflow, found.info
    told = (action.workflow_type.name, action.task_queue.name, found.schedule.state.notes)
    return told == (WORKFLOW, QUEUE, NOTE) and not info.action_count and not info.running_workflows
