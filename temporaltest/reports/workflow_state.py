"""The state of one workflow run: status, failure, what it waits for, where its code is, its events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from temporalio import workflow
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.client import Client, WorkflowHistory

from devserver.client import OPEN_STATUSES, SDK, FailureKind, ServiceCalls, status_name

from ..replay.worker_code import WorkerCode, replay_all
from ..workers.result_check import return_lines
from ..workflows.executions import RunHistory
from .event_lines import event_lines, seconds
from .nexus import nexus_lines
from .pending import pending_lines
from .tracebacks import failure_lines

HEAD = 50
TAIL = 25
MAX_REPLAYED = 2000


@dataclass(frozen=True)
class WorkflowState:
    """One run of a workflow, in texts for a person. `omitted` is the number of events that the trace leaves out."""

    id: str
    run_id: str
    type: str
    task_queue: str
    status: str
    failure: Sequence[str] = ()
    pending: Sequence[str] = ()
    code: Sequence[str] = ()
    trace: Sequence[str] = ()
    omitted: int = 0
    url: str | None = None

    def lines(self, *, trace: bool = True) -> list[str]:
        """The workflow, and its details indented."""
        about = [*self.failure, *self.pending, *self.code]
        link = [self.url] if self.url else []
        trace_lines = self.trace if trace else ()
        return [f"  {self.id} ({self.type}): {self.status}", *(f"    {line}" for line in [*link, *about, *trace_lines])]


async def inspect(
    client: Client, workflow_id: str, run_id: str, codes: Sequence[WorkerCode], link: str | None
) -> WorkflowState | None:
    """Describe a run; None if it no longer exists."""
    calls = ServiceCalls(client, retries=SDK)
    description = await calls.describe_workflow(workflow_id, run_id)
    if description is None:
        return None
    head, tail = await _ends(calls, WorkflowExecution(workflow_id=workflow_id, run_id=run_id))
    info = description.workflow_execution_info
    is_open = info.status in OPEN_STATUSES
    failure = await _failure(client, [*head, *tail])
    if failure and FailureKind.UNSERIALIZABLE.found_in(failure[0]):
        failure = [*failure, *_returned_at(info, codes)]
    text = "\n".join(failure)
    unclear = (is_open and not FailureKind.DEADLOCK.found_in(text)) or bool(FailureKind.NONDETERMINISM.found_in(text))
    trace, omitted = await _trace(client, head, tail, info.history_length)
    return WorkflowState(
        *(workflow_id, run_id, info.type.name, info.task_queue, status_name(info.status)),
        failure=failure,
        pending=[
            *(await pending_lines(client, description, [*head, *tail], codes) if is_open else []),
            *await nexus_lines(client, description, [*head, *tail]),
        ],
        code=await _code_lines(calls, info, codes) if unclear else [],
        trace=trace,
        omitted=omitted,
        url=f"{link}/{workflow_id}/{run_id}" if link else None,
    )


async def _ends(calls: ServiceCalls, execution: WorkflowExecution) -> tuple[list[HistoryEvent], list[HistoryEvent]]:
    """The first events, and the last ones if there are more."""
    page = await calls.history_page(execution, max_events=HEAD)
    head = list(page.history.events) if page is not None else []  # a page may have more events than asked for
    if page is None or not page.next_page_token:
        return (head, []) if len(head) <= HEAD + TAIL else (head[:HEAD], head[-TAIL:])
    last = await calls.last_events(execution, TAIL)
    tail = reversed(last[:TAIL])
    return head[:HEAD], [event for event in tail if event.event_id > head[:HEAD][-1].event_id]


async def _trace(
    client: Client, head: Sequence[HistoryEvent], tail: Sequence[HistoryEvent], length: int
) -> tuple[list[str], int]:
    converter = client.data_converter
    began = seconds(head[0]) if head else 0.0
    omitted = max(0, tail[0].event_id - head[-1].event_id - 1) if tail else 0
    gap = [f"      ... {omitted:,} of {length:,} events are not shown ..."] if omitted else []
    return [*await event_lines(head, began, converter), *gap, *await event_lines(tail, began, converter)], omitted


async def _failure(client: Client, events: Sequence[HistoryEvent]) -> list[str]:
    """Why the workflow failed, or why its last task failed, if the server retries that."""
    for event in reversed(events):
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
            return []
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
            failure = event.workflow_execution_failed_event_attributes.failure
            return await failure_lines(failure, client.data_converter)
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
            failure = event.workflow_task_failed_event_attributes.failure
            if not failure.message:
                continue  # the server ended it: a pause or a reset
            lines = await failure_lines(failure, client.data_converter)
            return [f"its workflow task fails and is retried: {lines[0]}", *lines[1:]]
    return []


def _returned_at(info: WorkflowExecutionInfo, codes: Sequence[WorkerCode]) -> list[str]:
    """Where the workflow's code returns its result, for a result that cannot be encoded."""
    for code in codes:
        found = code.code.workflows.get(info.type.name)
        definition = None if found is None else workflow._Definition.from_class(found)
        if definition is not None:
            return [f"returned at {line}" for line in return_lines(definition.run_fn)]
    return []


async def _code_lines(calls: ServiceCalls, info: WorkflowExecutionInfo, codes: Sequence[WorkerCode]) -> list[str]:
    """Where the workflow's code is, found by a replay: the `__stack_trace` query shows only frames of the SDK."""
    if info.history_length > MAX_REPLAYED:
        return [f"(its {info.history_length:,} events are too many to find out where its code is)"]
    execution = info.execution
    events = await calls.history(execution.workflow_id, execution.run_id) or []
    if not events:
        return []
    run = RunHistory(WorkflowHistory(execution.workflow_id, events), execution.run_id)
    lines: list[str] = []
    for result in await replay_all(codes, [run]):
        if result.divergence is not None:
            return str(result.divergence).splitlines()
        lines += [f"waits at {stack[-1]}" for stack in result.stacks]
        lines += [f"  called from {line}" for stack in result.stacks for line in reversed(stack[:-1])]
    return lines
