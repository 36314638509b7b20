"""Makes spans of histories: one for a workflow over all its runs, one for each run, one for each step."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

from temporalio.client import Client

from ..trace import Chain, Execution, Link, Run, Step, Tracer
from ..trace.run_chain import not_there
from . import ids
from .model import HistorySpan
from .parent_context import Place, hangs_below, place_of
from .span_factory import INSTANT, begun, span_of_run, span_of_step, span_of_workflow

MOST_DEPTH = 100


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
    some = False
    async for span in _workflow(tracer, chain, None, depth):
        some = True
        yield span
    if not some:  # deleted since
        raise not_there(tracer.calls, Execution(workflow_id, run_id))


async def spans_of_run(client: Client, workflow_id: str, run_id: str) -> AsyncIterator[HistorySpan]:
    """The spans of one run of a workflow, those of the workflow itself included if this run is its last.

    However many runs there are, only the last one's asks for the others.

    Raises:
        CannotAsk: The server does not answer, or there is no such run.
    """
    tracer = Tracer(client)
    described = await tracer.calls.describe_workflow(workflow_id, run_id)
    if described is None:
        raise not_there(tracer.calls, Execution(workflow_id, run_id))
    info = described.workflow_execution_info
    run = await tracer.run(workflow_id, Link(run_id, events=info.history_length, size=info.history_size_bytes))
    if run.missing:
        raise not_there(tracer.calls, Execution(workflow_id, run_id))
    place = await place_of(tracer, run)
    async for span in _run(tracer, run, place):
        yield span
    if run.next is None:
        chain = await tracer.chain(workflow_id, run_id)
        if chain.newest.run_id == run_id:
            start = next((link.started for link in chain.links if link.started is not None), begun(run))
            yield await span_of_workflow(chain, start, run, place, tracer.converter)


async def _workflow(
    tracer: Tracer, chain: Chain, above: tuple[Run, Step, Place] | None, depth: int
) -> AsyncIterator[HistorySpan]:
    first: Run | None = None
    last: Run | None = None
    place = Place(0)
    for link in chain.links:
        run = await tracer.run(chain.workflow_id, link)
        if run.missing:
            continue
        if first is None:
            if above is not None and not hangs_below(tracer, run, *above[:2]):
                return
            first = replace(run, steps=[])
            place = await place_of(tracer, run) if above is None else above[2]
        last = replace(run, steps=[])
        async for span in _run(tracer, run, place):
            yield span
        if depth > 0:
            async for span in _children(tracer, run, place, depth - 1):
                yield span
    if first is not None and last is not None:
        yield await span_of_workflow(chain, begun(first), last, place, tracer.converter)


async def _children(tracer: Tracer, run: Run, place: Place, depth: int) -> AsyncIterator[HistorySpan]:
    for step in run.own_steps:
        below = await tracer.child(step)
        if below is not None and any(link.how == "reset" for link in below.links):
            below = await tracer.chain(below.workflow_id, below.links[0].run_id)  # with runs that later resets hide
        if below is not None:
            here = Place(place.trace_id, ids.step_span_id(run.run_id, step.event_id))
            async for span in _workflow(tracer, below, (run, step, here), depth):
                yield span


async def _run(tracer: Tracer, run: Run, place: Place) -> AsyncIterator[HistorySpan]:
    for step in run.own_steps:
        if step.kind not in INSTANT:
            yield await span_of_step(run, step, place, tracer.converter)
    yield await span_of_run(run, place, tracer.converter)
