"""Makes a span of a workflow over all its runs, of a run, or of a step."""

from __future__ import annotations

from datetime import datetime

from temporalio.converter import DataConverter

from ..client.failures import failure_text
from ..history import RunChain, Step, WorkflowRun, failure_facts, preview
from ..history.model import BAD
from .parent_context import ParentContext, first_id
from .spans import HistorySpan, SpanEvent, Value, run_span_id, step_span_id, workflow_span_id

# These take no time: they are events of their run's span.
INSTANT = ("signal", "cancel", "marker")
NAMES = {
    "local_activity": "local activity",
    "signal_out": "signal",
    "cancel_out": "cancel",
    "pause": "paused",
    "workflow_task_failure": "workflow task fails",
}


async def span_of_workflow(
    chain: RunChain, start: datetime, last: WorkflowRun, place: ParentContext, converter: DataConverter
) -> HistorySpan:
    """A workflow from its first run's start to its last run's end."""
    attributes: dict[str, Value] = {
        "temporal.workflow_id": last.workflow_id,
        "temporal.namespace": chain.namespace,
        "temporal.task_queue": last.task_queue,
        "temporal.runs": len(chain.runs),
        "temporal.status": last.status,
    }
    if last.origin.schedule_id:
        attributes["temporal.schedule_id"] = last.origin.schedule_id
    if first_id(last) != chain.runs[0].run_id:
        attributes["temporal.incomplete"] = True  # earlier runs were deleted: the workflow began before its start here
    return HistorySpan(
        trace_id=place.trace_id,
        span_id=workflow_span_id(chain.namespace, last.workflow_id, first_id(last)),
        parent_id=place.parent_id,
        name=f"workflow {last.type}",
        start=start,
        end=last.closed,
        error=await _error(run=last, converter=converter),
        attributes=attributes,
    )


async def span_of_run(run: WorkflowRun, place: ParentContext, converter: DataConverter) -> HistorySpan:
    """A run, with steps that took no time as events."""
    attributes: dict[str, Value] = {
        "temporal.workflow_id": run.workflow_id,
        "temporal.run_id": run.run_id,
        "temporal.status": run.status,
        "temporal.how": run.origin.how,
        "temporal.attempt": run.attempt,
        "temporal.events": run.events,
    }
    if run.identities:
        attributes["temporal.workers"] = ", ".join(run.identities)
    if run.builds:
        attributes["temporal.builds"] = ", ".join(run.builds)
    return HistorySpan(
        trace_id=place.trace_id,
        span_id=run_span_id(run.run_id),
        parent_id=workflow_span_id(run.namespace, run.workflow_id, first_id(run)),
        name=f"run {run.type}",
        start=begun(run),
        end=run.closed,
        error=await _error(run, converter),
        attributes=attributes,
        events=tuple([_event(step) for step in run.own_steps if step.kind in INSTANT]),
    )


async def span_of_step(run: WorkflowRun, step: Step, place: ParentContext, converter: DataConverter) -> HistorySpan:
    """A step. A step that a reset run has from the run before starts with the reset."""
    failure = await failure_text(step.failure, converter) if step.failure is not None else None
    line = failure.line if failure is not None else step.reason
    start = max(step.scheduled, begun(run)) if run.origin.how == "reset" else step.scheduled
    events = []
    if step.started is not None and step.started > start:
        events.append(SpanEvent("started", step.started, {"temporal.attempt": step.attempts} if step.attempts else {}))
    return HistorySpan(
        trace_id=place.trace_id,
        span_id=step_span_id(run.run_id, step.event_id),
        parent_id=run_span_id(run.run_id),
        name=_name(step),
        start=start,
        end=step.closed,
        kind="client" if step.kind in ("activity", "child", "nexus", "signal_out") else "internal",
        error=(line or step.status.replace("_", " ")) if step.bad and not step.open else None,
        attributes=_attributes(run, step, line) | await _said(step, converter),
        events=tuple(events),
    )


def _attributes(run: WorkflowRun, step: Step, line: str) -> dict[str, Value]:
    attributes: dict[str, Value] = {"temporal.run_id": run.run_id, "temporal.event_id": step.event_id}
    attributes |= {"temporal.workflow_id": run.workflow_id, "temporal.status": step.status}
    for name, value in (("attempts", step.attempts), ("worker", step.identity), ("task_queue", step.queue)):
        if value:
            attributes[f"temporal.{name}"] = value
    if step.target is not None and step.target.workflow_id:
        attributes["temporal.target_workflow_id"] = step.target.workflow_id
    if step.operation is not None:
        attributes["temporal.nexus_endpoint"] = step.operation.endpoint
    if not step.timed:
        attributes["temporal.duration_unknown"] = True
    if line and not step.bad:
        attributes["temporal.last_failure"] = line  # of an attempt before the one that completed
    return attributes


async def _said(step: Step, converter: DataConverter) -> dict[str, Value]:
    """The summary from the workflow's code, and what the failure says in addition to its message."""
    attributes: dict[str, Value] = {}
    if step.note:
        attributes["temporal.summary"] = (await preview(step.note, converter)).strip('"')
    if step.failure is not None and step.bad:
        facts = await failure_facts(step.failure, converter, step.retry_state)
        attributes |= {"temporal.non_retryable": True} if facts.non_retryable else {}
        attributes |= {"temporal.retry_state": facts.retry_state} if facts.retry_state else {}
        attributes |= {"temporal.failure_details": ", ".join(facts.details)} if facts.details else {}
    return attributes


def begun(run: WorkflowRun) -> datetime:
    """The start of a run that is not missing."""
    if run.started is None:
        raise AssertionError("a run whose history was read has a start")
    return run.started


def _name(step: Step) -> str:
    kind = NAMES.get(step.kind, step.kind)
    if step.operation is not None:
        return f"{kind} {step.operation.service}/{step.operation.name}"
    return f"{kind} {step.name}" if step.name and step.kind != "timer" else kind


def _event(step: Step) -> SpanEvent:
    attributes: dict[str, Value] = {"temporal.event_id": step.event_id}
    if step.identity:
        attributes["temporal.by"] = step.identity
    return SpanEvent(_name(step), step.scheduled, attributes)


async def _error(run: WorkflowRun, converter: DataConverter) -> str | None:
    if run.status not in BAD or not run.bad:
        return None
    if run.failure is not None:
        return (await failure_text(run.failure, converter)).line
    return run.reason or run.status.replace("_", " ")
