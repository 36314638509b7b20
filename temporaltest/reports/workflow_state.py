"""One workflow, looked at from all sides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionRequest,
    GetWorkflowExecutionHistoryRequest,
    GetWorkflowExecutionHistoryReverseRequest,
)
from temporalio.client import Client, WorkflowHistory
from temporalio.service import RPCError, RPCStatusCode

from devserver.client import OPEN_STATUSES, status_name

from ..replay.worker_code import WorkerCode, replay_all
from ..workflows.executions import RunHistory
from ..workflows.tracebacks import failure_lines
from . import pending
from .event_lines import seconds, traced

HEAD = 50
TAIL = 25
MOST_REPLAYED = 2000
NONDETERMINISM = "[TMPRL1100]"
DEADLOCK = "[TMPRL1101]"


@dataclass(frozen=True)
class WorkflowState:
    """What is known of one run of a workflow; every text is for a person. `omitted` events are not in the trace."""

    id: str
    run_id: str
    type: str
    task_queue: str
    status: str
    failure: Sequence[str] = ()
    pending: Sequence[str] = ()
    standing: Sequence[str] = ()
    trace: Sequence[str] = ()
    omitted: int = 0
    url: str | None = None

    def lines(self, *, traced: bool = True) -> list[str]:
        """The workflow and all about it, indented."""
        about = [*self.failure, *self.pending, *self.standing]
        link = [self.url] if self.url else []
        trace = self.trace if traced else ()
        return [f"  {self.id} ({self.type}): {self.status}", *(f"    {line}" for line in [*link, *about, *trace])]


async def inspect(
    client: Client, workflow_id: str, run_id: str, codes: Sequence[WorkerCode], link: str | None
) -> WorkflowState | None:
    """Look at a run; None if it is gone."""
    execution = WorkflowExecution(workflow_id=workflow_id, run_id=run_id)
    request = DescribeWorkflowExecutionRequest(namespace=client.namespace, execution=execution)
    try:
        described = await client.workflow_service.describe_workflow_execution(request)
        head, tail = await _ends(client, execution)
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            return None
        raise
    info = described.workflow_execution_info
    is_open = info.status in OPEN_STATUSES
    failure = await _failure(client, [*head, *tail])
    told = "\n".join(failure)
    unclear = (is_open and DEADLOCK not in told) or NONDETERMINISM in told
    trace, omitted = await _trace(client, head, tail, info.history_length)
    return WorkflowState(
        *(workflow_id, run_id, info.type.name, info.task_queue, status_name(info.status)),
        failure=failure,
        pending=await pending.lines(client, described, [*head, *tail], codes) if is_open else [],
        standing=await _standing(client, execution, info.history_length, codes) if unclear else [],
        trace=trace,
        omitted=omitted,
        url=f"{link}/{workflow_id}/{run_id}" if link else None,
    )


async def _ends(client: Client, execution: WorkflowExecution) -> tuple[list[HistoryEvent], list[HistoryEvent]]:
    """The first events, and the last ones if there are more."""
    request = GetWorkflowExecutionHistoryRequest(
        namespace=client.namespace, execution=execution, maximum_page_size=HEAD
    )
    answer = await client.workflow_service.get_workflow_execution_history(request)
    head = list(answer.history.events)  # a page's size counts what was written at once, which may be many events
    if not answer.next_page_token:
        return (head, []) if len(head) <= HEAD + TAIL else (head[:HEAD], head[-TAIL:])
    backwards = GetWorkflowExecutionHistoryReverseRequest(
        namespace=client.namespace, execution=execution, maximum_page_size=TAIL
    )
    last = await client.workflow_service.get_workflow_execution_history_reverse(backwards)
    tail = reversed(last.history.events[:TAIL])
    return head[:HEAD], [event for event in tail if event.event_id > head[:HEAD][-1].event_id]


async def _trace(
    client: Client, head: Sequence[HistoryEvent], tail: Sequence[HistoryEvent], length: int
) -> tuple[list[str], int]:
    converter = client.data_converter
    began = seconds(head[0]) if head else 0.0
    omitted = max(0, tail[0].event_id - head[-1].event_id - 1) if tail else 0
    gap = [f"      ... {omitted:,} of {length:,} events are not shown ..."] if omitted else []
    return [*await traced(head, began, converter), *gap, *await traced(tail, began, converter)], omitted


async def _failure(client: Client, events: Sequence[HistoryEvent]) -> list[str]:
    """Why it failed; or, if its code cannot go on, what its last task failed with."""
    for event in reversed(events):
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
            return []
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
            failure = event.workflow_execution_failed_event_attributes.failure
            return await failure_lines(failure, client.data_converter)
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
            failure = event.workflow_task_failed_event_attributes.failure
            if not failure.message:
                continue  # the server ended it: a pause or a reset does so
            lines = await failure_lines(failure, client.data_converter)
            return [f"its task fails again and again: {lines[0]}", *lines[1:]]
    return []


async def _standing(
    client: Client, execution: WorkflowExecution, length: int, codes: Sequence[WorkerCode]
) -> list[str]:
    """Where its code stands. A replay tells: the SDK's `__stack_trace` query shows the SDK's own frames only."""
    if length > MOST_REPLAYED:
        return [f"(its {length:,} events are too many to find out where its code stands)"]
    handle = client.get_workflow_handle(execution.workflow_id, run_id=execution.run_id)
    ran = RunHistory(WorkflowHistory(execution.workflow_id, (await handle.fetch_history()).events), execution.run_id)
    lines: list[str] = []
    for result in await replay_all(codes, [ran]):
        if result.divergence is not None:
            return str(result.divergence).splitlines()
        lines += [f"waits at {stack[-1]}" for stack in result.stacks]
        lines += [f"  called from {line}" for stack in result.stacks for line in reversed(stack[:-1])]
    return lines
