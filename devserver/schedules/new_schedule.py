"""A schedule to create or update, as the server takes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from temporalio.api.common.v1 import Payload, Payloads, WorkflowType
from temporalio.api.schedule.v1 import Schedule, ScheduleAction, SchedulePolicies, ScheduleState
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflow.v1 import NewWorkflowExecutionInfo
from temporalio.client import Client

from .overlap import OverlapPolicy
from .preview import policy_to_proto
from .spec import ScheduleSpec


@dataclass(frozen=True)
class NewSchedule:
    """A schedule to create, and the workflow it starts. None uses the server's default.

    Args:
        schedule_id: The id of the schedule.
        workflow_type, task_queue: The workflow to start, and the task queue of its workers.
        spec: When to start it; an empty spec starts it only when triggered.
        workflow_id: What the ids of its runs begin with; None uses the schedule's id.
        input: The workflow's arguments.
        policy: What to do when a run is still open.
        catchup_window: How late an action may start; later ones are dropped.
        pause_on_failure: Pause the schedule when a run fails or times out.
        paused: Create it paused.
        note, memo: The note and the memo of the schedule.
        headers: Headers of its workflows.
        remaining_actions: How often it acts in all.
        execution_timeout, run_timeout: The timeouts of its workflows.
    """

    schedule_id: str
    workflow_type: str
    task_queue: str
    spec: ScheduleSpec = field(default_factory=ScheduleSpec)
    workflow_id: str | None = None
    input: Sequence[Any] = ()
    policy: OverlapPolicy = "skip"
    catchup_window: timedelta | None = None
    pause_on_failure: bool = False
    paused: bool = False
    note: str = ""
    memo: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, bytes] = field(default_factory=dict)
    remaining_actions: int | None = None
    execution_timeout: timedelta | None = None
    run_timeout: timedelta | None = None


async def schedule_of(client: Client, new: NewSchedule) -> Schedule:
    """The schedule for a request, with its input encoded."""
    schedule = Schedule(
        spec=new.spec.to_proto(),
        action=ScheduleAction(start_workflow=await _action(client, new)),
        policies=SchedulePolicies(overlap_policy=policy_to_proto(new.policy), pause_on_failure=new.pause_on_failure),
        state=ScheduleState(notes=new.note, paused=new.paused),
    )
    if new.catchup_window is not None:
        schedule.policies.catchup_window.FromTimedelta(new.catchup_window)
    if new.remaining_actions is not None:
        schedule.state.limited_actions = True
        schedule.state.remaining_actions = new.remaining_actions
    return schedule


async def _action(client: Client, new: NewSchedule) -> NewWorkflowExecutionInfo:
    payloads = await client.data_converter.encode(list(new.input))
    action = NewWorkflowExecutionInfo(
        workflow_id=new.workflow_id or new.schedule_id,
        workflow_type=WorkflowType(name=new.workflow_type),
        task_queue=TaskQueue(name=new.task_queue),
        input=Payloads(payloads=payloads) if payloads else None,
    )
    for name, data in new.headers.items():
        action.header.fields[name].CopyFrom(Payload(metadata={"encoding": b"binary/plain"}, data=data))
    if new.execution_timeout is not None:
        action.workflow_execution_timeout.FromTimedelta(new.execution_timeout)
    if new.run_timeout is not None:
        action.workflow_run_timeout.FromTimedelta(new.run_timeout)
    return action
