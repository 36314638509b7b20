"""Makes spans of histories: one for a workflow over all its runs, one for each run, one for each step."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from temporalio.client import Client

from ..history.failure_text import failure_text
from ..history.trace import Chain, Link, Run, Step, Tracer
from ..history.trace.model import BAD
from . import ids

MOST_DEPTH = 100
Value = str | int | float | bool
# What takes no time is an event of its run's span.
INSTANT = ("signal", "cancel", "marker")
NAMES = {
    "local_activity": "local activity",
    "signal_out": "signal",
    "cancel_out": "cancel",
    "pause": "paused",
    "workflow_task_failure": "workflow task fails",
}


@dataclass(frozen=True)
class SpanEvent:
    """Something that happened at one moment of a span."""

    name: str
    at: datetime
    attributes: dict[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class HistorySpan:
    """A span as OpenTelemetry means it, before it is sent.

    Attributes:
        trace_id, span_id, parent_id: 128 and 64 bits; the same each time. `parent_id` is None at the top of a tree.
        name: `workflow Order`, `run Order`, `activity charge`, `timer`, `child Delivery`, `update change_city`: few
            different ones.
        kind: `client` for what somebody else works for, `internal` else.
        start, end: As the server wrote them, in UTC; `end` is None while it goes on.
        error: Why it failed, one line; None where it did not.
        attributes: Its ids and figures, named `temporal.*`.
        events: What happened in between.
    """

    trace_id: int
    span_id: int
    parent_id: int | None
    name: str
    start: datetime
    end: datetime | None
    kind: Literal["internal", "client"] = "internal"
    error: str | None = None
    attributes: dict[str, Value] = field(default_factory=dict)
    events: tuple[SpanEvent, ...] = ()

    @property
    def open(self) -> bool:
        """Whether what it tells of goes on."""
        return self.end is None


@dataclass(frozen=True)
class _Place:
    """Where a workflow's spans hang: their trace, and the span above."""

    trace_id: int
    parent_id: int | None = None


async def spans_of(
    client: Client, workflow_id: str, run_id: str = "", *, depth: int = MOST_DEPTH
) -> AsyncIterator[HistorySpan]:
    """The spans of a workflow over all its runs, and of its children, one run's at a time.

    They are the same spans with the same ids each time, whichever workflow of the tree is asked for, except that what
    has ended in between has its end.

    Args:
        depth: How far down children are followed; 0 for none of them.

    Raises:
        CannotAsk: The server does not answer, or there is no such workflow.
    """
    tracer = Tracer(client)
    chain = await tracer.chain(workflow_id, run_id)
    first = await tracer.run(workflow_id, chain.links[0])
    async for span in _workflow(tracer, chain, await _place(tracer, first), depth):
        yield span


async def spans_of_run(client: Client, workflow_id: str, run_id: str) -> AsyncIterator[HistorySpan]:
    """The spans of one run of a workflow, those of the workflow itself included if this run is its last.

    Raises:
        CannotAsk: The server does not answer, or there is no such run.
    """
    tracer = Tracer(client)
    chain = await tracer.chain(workflow_id, run_id)
    link = next(each for each in chain.links if each.run_id == run_id)
    first = await tracer.run(workflow_id, chain.links[0])
    place = await _place(tracer, first)
    run = first if link is chain.links[0] else await tracer.run(workflow_id, link)
    if link is chain.newest:
        yield await _over_all(tracer, chain, first, run, place)
    async for span in _run(tracer, run, _under(tracer, run, place)):
        yield span


async def _place(tracer: Tracer, first: Run) -> _Place:
    """The trace of the tree that this workflow is in, and what is above it."""
    origin = first.origin
    if origin.parent is None or not origin.parent.run_id:
        return _Place(ids.trace_id(tracer.namespace, first.workflow_id, _first_id(first)))
    root = origin.root if origin.root is not None and origin.root.run_id else origin.parent
    described = await tracer.calls.described(root.workflow_id, root.run_id)
    top = described.workflow_execution_info.first_run_id if described is not None else ""
    above = ids.step_span_id(origin.parent.run_id, origin.parent_event)
    return _Place(ids.trace_id(tracer.namespace, root.workflow_id, top or root.run_id), above)


async def _workflow(tracer: Tracer, chain: Chain, place: _Place, depth: int) -> AsyncIterator[HistorySpan]:
    first: Run | None = None
    for link in chain.links:
        run = await tracer.run(chain.workflow_id, link)
        first = first or run
        if run.missing:
            continue
        async for span in _run(tracer, run, _under(tracer, first, place)):
            yield span
        if depth > 0:
            async for span in _children(tracer, run, place, depth - 1):
                yield span
        if link is chain.newest:
            yield await _over_all(tracer, chain, first, run, place)


def _under(tracer: Tracer, run: Run, place: _Place) -> _Place:
    return _Place(place.trace_id, ids.workflow_span_id(tracer.namespace, run.workflow_id, _first_id(run)))


async def _children(tracer: Tracer, run: Run, place: _Place, depth: int) -> AsyncIterator[HistorySpan]:
    for step in run.steps:
        if not step.has_tree or _told_before(run, step):
            continue
        below = await tracer.child(step)
        if below is not None:
            above = _Place(place.trace_id, ids.step_span_id(run.run_id, step.event_id))
            async for span in _workflow(tracer, below, above, depth):
                yield span


async def _over_all(tracer: Tracer, chain: Chain, first: Run, last: Run, place: _Place) -> HistorySpan:
    """The span of a workflow from its first run's start to its last run's end."""
    attributes: dict[str, Value] = {
        "temporal.workflow_id": first.workflow_id,
        "temporal.namespace": tracer.namespace,
        "temporal.task_queue": last.task_queue,
        "temporal.runs": len(chain.links),
        "temporal.status": last.status,
    }
    if first.origin.schedule_id:
        attributes["temporal.schedule_id"] = first.origin.schedule_id
    if _first_id(first) != first.run_id:
        attributes["temporal.incomplete"] = True  # earlier runs were deleted, so it began before its start here
    return HistorySpan(
        trace_id=place.trace_id,
        span_id=ids.workflow_span_id(tracer.namespace, first.workflow_id, _first_id(first)),
        parent_id=place.parent_id,
        name=f"workflow {last.type}",
        start=_start(first, chain.links[0]),
        end=last.closed,
        error=await _why(tracer, last),
        attributes=attributes,
    )


async def _run(tracer: Tracer, run: Run, place: _Place) -> AsyncIterator[HistorySpan]:
    span_id = ids.run_span_id(run.run_id)
    below = _Place(place.trace_id, span_id)
    events: list[SpanEvent] = []
    for step in run.steps:
        if _told_before(run, step):
            continue
        if step.kind in INSTANT:
            events.append(_event(step))
        else:
            yield await _step(tracer, run, step, below)
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
    yield HistorySpan(
        trace_id=place.trace_id,
        span_id=span_id,
        parent_id=place.parent_id,
        name=f"run {run.type}",
        start=_start(run),
        end=run.closed,
        error=await _why(tracer, run),
        attributes=attributes,
        events=tuple(events),
    )


async def _step(tracer: Tracer, run: Run, step: Step, place: _Place) -> HistorySpan:
    failure = await failure_text(step.failure, tracer.converter) if step.failure is not None else None
    line = failure.line if failure is not None else step.reason
    events = []
    if step.started is not None and step.started != step.scheduled:
        events.append(SpanEvent("started", step.started, {"temporal.attempt": step.attempts} if step.attempts else {}))
    attributes: dict[str, Value] = {"temporal.run_id": run.run_id, "temporal.event_id": step.event_id}
    attributes |= {"temporal.workflow_id": run.workflow_id, "temporal.status": step.status}
    for name, value in (("attempts", step.attempts), ("worker", step.identity), ("task_queue", step.queue)):
        if value:
            attributes[f"temporal.{name}"] = value
    if step.target is not None and step.target.workflow_id:
        attributes["temporal.target_workflow_id"] = step.target.workflow_id
    if line and not step.bad:
        attributes["temporal.last_failure"] = line  # of an attempt before the one that did it
    return HistorySpan(
        trace_id=place.trace_id,
        span_id=ids.step_span_id(run.run_id, step.event_id),
        parent_id=place.parent_id,
        name=_name(step),
        start=step.scheduled,
        end=step.closed,
        kind="client" if step.kind in ("activity", "child", "nexus", "signal_out") else "internal",
        error=(line or step.status.replace("_", " ")) if step.bad and not step.open else None,
        attributes=attributes,
        events=tuple(events),
    )


def _told_before(run: Run, step: Step) -> bool:
    """Whether a reset run has this step from the run before it, to which it belongs."""
    return run.origin.how == "reset" and step.event_id < run.origin.event_id


def _name(step: Step) -> str:
    kind = NAMES.get(step.kind, step.kind)
    return f"{kind} {step.name}" if step.name and step.kind != "timer" else kind


def _event(step: Step) -> SpanEvent:
    attributes: dict[str, Value] = {"temporal.event_id": step.event_id}
    if step.identity:
        attributes["temporal.by"] = step.identity
    return SpanEvent(_name(step), step.scheduled, attributes)


def _start(run: Run, link: Link | None = None) -> datetime:
    start = run.started or (link.started if link is not None else None)
    if start is None:
        raise AssertionError("a run that is there has its start")
    return start


def _first_id(run: Run) -> str:
    return run.first_run_id or run.run_id


async def _why(tracer: Tracer, run: Run) -> str | None:
    if run.status not in BAD or not run.bad:
        return None
    if run.failure is not None:
        return (await failure_text(run.failure, tracer.converter)).line
    return run.reason or run.status.replace("_", " ")
