"""Where a workflow's spans hang: below which span, and in which trace, from wherever the tree is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from temporalio.api.common.v1 import WorkflowExecution

from ..client.timestamps import EPOCH
from ..history import Execution, HistoryReader, RunBuilder, RunOrigin, Step, WorkflowRun
from . import ids

MOST_LEVELS = 100


@dataclass(frozen=True)
class ParentContext:
    """Where spans hang: their trace, and the span above."""

    trace_id: int
    parent_id: int | None = None


async def parent_context_of(reader: HistoryReader, run: WorkflowRun) -> ParentContext:
    """The place of the workflow that this is a run of: below the child or Nexus operation that has started it.

    What another namespace has started is a trace of its own: this client cannot read that one.
    """
    above = _above(reader, run.origin)
    span_id = None if above is None else ids.step_span_id(above[0].run_id, above[1])
    return ParentContext(await _trace_id(reader, run), span_id)


def hangs_below(reader: HistoryReader, run: WorkflowRun, above: WorkflowRun, step: Step) -> bool:
    """Whether that step has started the workflow, and no other one that is as entitled to say so.

    A reset run shares the steps that were open then with the run before it, and several Nexus operations may wait for
    one workflow.
    """
    found = _above(reader, run.origin)
    return found is not None and (found[0].run_id, found[1]) == (above.run_id, step.event_id)


def first_id(run: WorkflowRun) -> str:
    """The first run of a run's chain, which continue-as-new, retries, cron and resets keep."""
    return run.first_run_id or run.run_id


def _above(reader: HistoryReader, origin: RunOrigin) -> tuple[Execution, int] | None:
    for execution, event in ((origin.parent, origin.parent_event), (origin.caller, origin.caller_event)):
        if execution is not None and execution.run_id:
            return (execution, event) if execution.namespace in ("", reader.namespace) else None
    return None


async def _trace_id(reader: HistoryReader, run: WorkflowRun) -> int:
    """Named after the top of the tree: the root above children, and where that stands behind a Nexus operation, the
    root above its caller.
    """
    for _ in range(MOST_LEVELS):
        above = _above(reader, run.origin)
        if above is None:
            break
        root = run.origin.root if run.origin.parent is not None else None
        top = root if root is not None and root.run_id else above[0]
        found = await _begun(reader, top) or await _since(reader, top, run)
        if found is None:  # deleted: all who come from that run still have the same trace
            return ids.trace_id(reader.namespace, top.workflow_id, top.run_id)
        run = found
    return ids.trace_id(reader.namespace, run.workflow_id, first_id(run))


async def _since(reader: HistoryReader, top: Execution, below: WorkflowRun) -> WorkflowRun | None:
    """The current run at the top where the one that has started this was deleted since, if it is of the same chain:
    runs of one workflow id come one after the other, so it is if its chain had begun when this did.
    """
    described = await reader.calls.describe_workflow(top.workflow_id)
    if described is None or below.started is None:
        return None
    info = described.workflow_execution_info
    made = _made_at(info.first_run_id)
    if made is None or made > below.started:
        return None
    return await _begun(reader, Execution(top.workflow_id, info.execution.run_id))


def _made_at(run_id: str) -> datetime | None:
    """When a run id was made; None for those that do not tell it."""
    try:
        made = UUID(run_id)
    except ValueError:
        return None
    return EPOCH + timedelta(milliseconds=made.int >> 80) if made.version == 7 else None


async def _begun(reader: HistoryReader, execution: Execution) -> WorkflowRun | None:
    """A run with what its first event tells; None where its history was deleted."""
    of = WorkflowExecution(workflow_id=execution.workflow_id, run_id=execution.run_id)
    page = await reader.calls.history_page(of, max_events=1)
    if page is None or not page.history.events:
        return None
    builder = RunBuilder(execution.workflow_id, execution.run_id, reader.namespace)
    builder.add(page.history.events[0])
    return builder.run
