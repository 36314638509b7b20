"""Makes schedules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from temporalio.api.common.v1 import Memo, Payloads, WorkflowType
from temporalio.api.schedule.v1 import Schedule, ScheduleAction, SchedulePolicies, ScheduleState
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflow.v1 import NewWorkflowExecutionInfo
from temporalio.client import Client

from .calls import Calls
from .overlap import Policy
from .preview import wire_policy
from .spec import Spec


@dataclass(frozen=True)
class NewSchedule:
    """A schedule to be made: when, and the workflow that it starts then.

    `input` has the workflow's arguments, `workflow_id` what its ids begin with (the schedule's own id), `memo` and
    `note` are the schedule's. None leaves a choice to the server.
    """

    schedule_id: str
    workflow_type: str
    task_queue: str
    spec: Spec = field(default_factory=Spec)
    workflow_id: str | None = None
    input: Sequence[Any] = ()
    policy: Policy = "skip"
    catchup_window: timedelta | None = None
    pause_on_failure: bool = False
    paused: bool = False
    note: str = ""
    memo: Mapping[str, Any] = field(default_factory=dict)
    remaining_actions: int | None = None
    execution_timeout: timedelta | None = None
    run_timeout: timedelta | None = None


async def create_schedule(client: Client, new: NewSchedule) -> None:
    """Make it.

    Raises:
        ScheduleExists: There is one of that id.
        ScheduleRefused: The server does not take it; says why.
        CannotAsk: The server does not answer.
    """
    schedule = Schedule(
        spec=new.spec.to_proto(),
        action=ScheduleAction(start_workflow=await _action(client, new)),
        policies=SchedulePolicies(overlap_policy=wire_policy(new.policy), pause_on_failure=new.pause_on_failure),
        state=ScheduleState(notes=new.note, paused=new.paused),
    )
    if new.catchup_window is not None:
        schedule.policies.catchup_window.FromTimedelta(new.catchup_window)
    if new.remaining_actions is not None:
        schedule.state.limited_actions = True
        schedule.state.remaining_actions = new.remaining_actions
    payloads = await client.data_converter.encode(list(new.memo.values()))
    memo = Memo(fields=dict(zip(new.memo, payloads, strict=True))) if new.memo else None
    await Calls(client).create(new.schedule_id, schedule, memo)


async def _action(client: Client, new: NewSchedule) -> NewWorkflowExecutionInfo:
    payloads = await client.data_converter.encode(list(new.input))
    made = NewWorkflowExecutionInfo(
        workflow_id=new.workflow_id or new.schedule_id,
        workflow_type=WorkflowType(name=new.workflow_type),
        task_queue=TaskQueue(name=new.task_queue),
        input=Payloads(payloads=payloads) if payloads else None,
    )
    if new.execution_timeout is not None:
        made.workflow_execution_timeout.FromTimedelta(new.execution_timeout)
    if new.run_timeout is not None:
        made.workflow_run_timeout.FromTimedelta(new.run_timeout)
    return made
