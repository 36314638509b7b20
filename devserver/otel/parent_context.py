"""Finds the trace and the parent span of a workflow: the same ones, whichever workflow of a tree is exported."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from temporalio.api.common.v1 import WorkflowExecution

from ..client.timestamps import EPOCH
from ..history import Execution, HistoryReader, RunBuilder, RunOrigin, Step, WorkflowRun
from .spans import step_span_id, trace_id

MAX_LEVELS = 100


@dataclass(frozen=True)
class ParentContext:
    """The trace of spans, and their parent span; None at the top of a tree."""

    trace_id: int
    parent_id: int | None = None


async def parent_context_of(reader: HistoryReader, run: WorkflowRun) -> ParentContext:
    """The context of the workflow of a run: the span of the child step or Nexus operation that started it.

    A workflow that another namespace started has a trace of its own: this client cannot read that namespace.
    """
    above = _above(reader, run.origin)
    span_id = None if above is None else step_span_id(above[0].run_id, above[1])
    return ParentContext(await _trace_id(reader, run), span_id)


def is_parent(reader: HistoryReader, run: WorkflowRun, above: WorkflowRun, step: Step) -> bool:
    """Whether that step is the parent of the workflow.

    Other steps may refer to it too: a reset run shares open steps with the run before it, and several Nexus operations
    may wait for one workflow.
    """
    found = _above(reader, run.origin)
    return found is not None and (found[0].run_id, found[1]) == (above.run_id, step.event_id)


def first_id(run: WorkflowRun) -> str:
    """The first run of a run's chain."""
    return run.first_run_id or run.run_id


def _above(reader: HistoryReader, origin: RunOrigin) -> tuple[Execution, int] | None:
    for execution, event in ((origin.parent, origin.parent_event), (origin.caller, origin.caller_event)):
        if execution is not None and execution.run_id:
            return (execution, event) if execution.namespace in ("", reader.namespace) else None
    return None


async def _trace_id(reader: HistoryReader, run: WorkflowRun) -> int:
    """The trace of the top of the tree: the root of the children; above a Nexus operation, the root of its caller."""
    for _ in range(MAX_LEVELS):
        above = _above(reader, run.origin)
        if above is None:
            break
        root = run.origin.root if run.origin.parent is not None else None
        top = root if root is not None and root.run_id else above[0]
        found = await _first_event(reader, top) or await _current_run(reader, top, run)
        if found is None:  # deleted: all workflows below that run still have the same trace
            return trace_id(reader.namespace, top.workflow_id, top.run_id)
        run = found
    return trace_id(reader.namespace, run.workflow_id, first_id(run))


async def _current_run(reader: HistoryReader, top: Execution, below: WorkflowRun) -> WorkflowRun | None:
    """The current run at the top if the run that started this one was deleted, and both are of the same chain.

    Runs of one workflow id never overlap: they are of one chain if that chain had begun when this run did.
    """
    described = await reader.calls.describe_workflow(top.workflow_id)
    if described is None or below.started is None:
        return None
    info = described.workflow_execution_info
    made = _made_at(info.first_run_id)
    if made is None or made > below.started:
        return None
    return await _first_event(reader, Execution(top.workflow_id, info.execution.run_id))


def _made_at(run_id: str) -> datetime | None:
    """The time in a run id; None if it has none."""
    try:
        made = UUID(run_id)
    except ValueError:
        return None
    return EPOCH + timedelta(milliseconds=made.int >> 80) if made.version == 7 else None


async def _first_event(reader: HistoryReader, execution: Execution) -> WorkflowRun | None:
    """A run as its first event describes it; None if its history was deleted."""
    of = WorkflowExecution(workflow_id=execution.workflow_id, run_id=execution.run_id)
    page = await reader.calls.history_page(of, max_events=1)
    if page is None or not page.history.events:
        return None
    builder = RunBuilder(execution.workflow_id, execution.run_id, reader.namespace)
    builder.add(page.history.events[0])
    return builder.run
