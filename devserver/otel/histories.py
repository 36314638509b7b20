"""Makes spans of histories: one for each workflow over all its runs, one for each run, one for each step."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

from temporalio.client import Client

from ..history import Execution, HistoryReader, RunChain, RunSummary, Step, WorkflowRun
from ..history.run_chain import workflow_missing
from .parent_context import ParentContext, is_parent, parent_context_of
from .span_factory import INSTANT, begun, span_of_run, span_of_step, span_of_workflow
from .spans import HistorySpan, step_span_id

MAX_DEPTH = 100


async def spans_of(
    source: Client | HistoryReader, workflow_id: str, run_id: str = "", *, depth: int = MAX_DEPTH
) -> AsyncIterator[HistorySpan]:
    """The spans of a workflow over all its runs, and of its children, run by run.

    A second call makes the same spans with the same ids, whichever workflow of the tree it is for; what has ended since
    has its end.

    Args:
        source: A client, or a reader of histories such as `StoredHistories`.
        depth: Maximum depth of children; 0 for none.

    Raises:
        CannotAsk: The server does not answer, or there is no such workflow.
    """
    reader = source if isinstance(source, HistoryReader) else HistoryReader(source)
    chain = await reader.chain(workflow_id, run_id)
    some = False
    async for span in _workflow(reader, chain, None, depth):
        some = True
        yield span
    if not some:  # deleted since
        raise workflow_missing(reader.calls, Execution(workflow_id, run_id))


async def spans_of_run(client: Client, workflow_id: str, run_id: str) -> AsyncIterator[HistorySpan]:
    """The spans of one run; with the span of the workflow itself if this run is its last.

    Other runs are read for the last run only.

    Raises:
        CannotAsk: The server does not answer, or there is no such run.
    """
    reader = HistoryReader(client)
    described = await reader.calls.describe_workflow(workflow_id, run_id)
    if described is None:
        raise workflow_missing(reader.calls, Execution(workflow_id, run_id))
    info = described.workflow_execution_info
    run = await reader.run(workflow_id, RunSummary(run_id, events=info.history_length, size=info.history_size_bytes))
    if run.missing:
        raise workflow_missing(reader.calls, Execution(workflow_id, run_id))
    place = await parent_context_of(reader, run)
    async for span in _run(reader, run, place):
        yield span
    if run.next is None:
        chain = await reader.chain(workflow_id, run_id)
        if chain.newest.run_id == run_id:
            start = next((link.started for link in chain.runs if link.started is not None), begun(run))
            yield await span_of_workflow(chain, start, run, place, reader.converter)


async def _workflow(
    reader: HistoryReader, chain: RunChain, above: tuple[WorkflowRun, Step, ParentContext] | None, depth: int
) -> AsyncIterator[HistorySpan]:
    first: WorkflowRun | None = None
    last: WorkflowRun | None = None
    place = ParentContext(0)
    for link in chain.runs:
        run = await reader.run(chain.workflow_id, link)
        if run.missing:
            continue
        if first is None:
            if above is not None and not is_parent(reader, run, *above[:2]):
                return
            first = replace(run, steps=[])
            place = await parent_context_of(reader, run) if above is None else above[2]
        last = replace(run, steps=[])
        async for span in _run(reader, run, place):
            yield span
        if depth > 0:
            async for span in _children(reader, run, place, depth - 1):
                yield span
    if first is not None and last is not None:
        yield await span_of_workflow(chain, begun(first), last, place, reader.converter)


async def _children(
    reader: HistoryReader, run: WorkflowRun, place: ParentContext, depth: int
) -> AsyncIterator[HistorySpan]:
    for step in run.own_steps:
        below = await reader.child(step)
        if below is not None and any(link.how == "reset" for link in below.runs):
            below = await reader.chain(below.workflow_id, below.runs[0].run_id)  # with runs that later resets hide
        if below is not None:
            here = ParentContext(place.trace_id, step_span_id(run.run_id, step.event_id))
            async for span in _workflow(reader, below, (run, step, here), depth):
                yield span


async def _run(reader: HistoryReader, run: WorkflowRun, place: ParentContext) -> AsyncIterator[HistorySpan]:
    for step in run.own_steps:
        if step.kind not in INSTANT:
            yield await span_of_step(run, step, place, reader.converter)
    yield await span_of_run(run, place, reader.converter)
