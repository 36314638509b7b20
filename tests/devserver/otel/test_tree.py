"""Spans are the same from every part of a tree, also after resets and when runs were deleted."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest, ResetWorkflowExecutionRequest
from temporalio.client import Client

from devserver.errors import CannotAsk
from devserver.history import HistoryReader, RunSummary
from devserver.otel.histories import spans_of_run
from tests.devserver.otel.test_histories import one, spans, worker
from tests.devserver.otel.work import QUEUE, Rolls, Tree
from tests.helpers import traced
from tests.helpers.shared_server import SharedServer

T = TypeVar("T")


async def wait_for(ask: Callable[[], Awaitable[T]]) -> T:
    """Wait until the call returns a result, and return it."""

    async def asked() -> T:
        while not (answer := await ask()):
            await asyncio.sleep(0.02)
        return answer

    return await asyncio.wait_for(asked(), 30)


async def links_of(client: Client, most: int) -> Sequence[RunSummary]:
    """Return the runs of `rolls` once there are this many."""
    links = (await HistoryReader(client).chain("rolls")).runs
    return links if len(links) >= most else ()


async def delete(client: Client, workflow_id: str, run_id: str) -> None:
    """Delete a run and wait until it is gone."""
    execution = WorkflowExecution(workflow_id=workflow_id, run_id=run_id)
    await client.workflow_service.delete_workflow_execution(
        DeleteWorkflowExecutionRequest(namespace=client.namespace, workflow_execution=execution)
    )

    async def gone() -> bool:
        return await HistoryReader(client).calls.describe_workflow(workflow_id, run_id) is None

    await wait_for(gone)


async def completed_tasks(client: Client, most: int = 1) -> list[int]:
    """Return the completed workflow tasks of `reset` once there are this many."""
    history = await client.get_workflow_handle("reset").fetch_history()
    found = [event.event_id for event in history.events if event.HasField("workflow_task_completed_event_attributes")]
    return found if len(found) >= most else []


async def reset(client: Client, run_id: str, event_id: int) -> str:
    """Reset the workflow `reset` to before this event; return the new run's id."""
    answer = await client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=client.namespace,
            workflow_execution=WorkflowExecution(workflow_id="reset", run_id=run_id),
            workflow_task_finish_event_id=event_id,
            request_id=f"{run_id}-{event_id}",
            reason="try",
        )
    )
    return answer.run_id


@pytest.mark.asyncio
async def test_every_part_has_the_same_spans(server: SharedServer) -> None:
    """Children, workflows started by Nexus operations and single runs have the same ids and parents, in one trace."""
    client = await server.connect()
    await traced.make_endpoint(client)
    async with traced.worker(client):
        handle = await client.start_workflow(traced.Everything.run, id="all", task_queue=traced.QUEUE)
        await handle.signal(traced.Everything.tell, "go")
        await handle.result()
    found = await spans(client, "all")
    of = {span.span_id: span for span in found}
    assert len(of) == len(found)
    assert [span.name for span in found if span.parent_id not in of] == ["workflow Everything"]
    nexus = one(found, "nexus Shop/buy")
    assert [span.name for span in found if span.parent_id == nexus.span_id] == ["workflow Leaf"]
    assert all(span.start >= of[span.parent_id].start for span in found if span.parent_id in of)
    for span in found:
        workflow_id = str(span.attributes["temporal.workflow_id"])
        if span.name.startswith("workflow "):
            alone = await spans(client, workflow_id)
        else:
            alone = [
                run_span
                async for run_span in spans_of_run(client, workflow_id, str(span.attributes["temporal.run_id"]))
            ]
        assert alone == [of.get(run_span.span_id) for run_span in alone]


@pytest.mark.asyncio
async def test_runs_of_a_long_chain_are_read_one_by_one(server: SharedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker exports each run as it closes, so the thousandth run must not read all others."""
    client = await server.connect()
    async with worker(client):
        await client.start_workflow(Rolls.run, 1, id="rolls", task_queue=QUEUE)
        links = await wait_for(lambda: links_of(client, 2))
    whole = {span.span_id: span for span in await spans(client, "rolls")}
    monkeypatch.delattr(HistoryReader, "chain")
    alone = [span async for span in spans_of_run(client, "rolls", links[0].run_id)]
    assert [span.name for span in alone] == ["child Tree", "run Rolls"]
    assert [whole[span.span_id].parent_id for span in alone] == [span.parent_id for span in alone]


@pytest.mark.asyncio
async def test_steps_open_at_a_reset_are_in_both_runs(server: SharedServer) -> None:
    """The new run has its own span for such a step, from the reset on; also after a second reset."""
    client = await server.connect()
    handle = await client.start_workflow(traced.Waits.run, "retry", id="reset", task_queue=traced.QUEUE)
    async with traced.worker(client):
        await wait_for(lambda: completed_tasks(client))
        await handle.signal(traced.Waits.go)
        tasks = await wait_for(lambda: completed_tasks(client, 2))
    run_id = handle.result_run_id or ""
    for _ in range(2):
        run_id = await reset(client, run_id, tasks[-1])
    found = await spans(client, "reset")
    runs = [span for span in found if span.name == "run Waits"]
    assert [span.attributes["temporal.how"] for span in runs] == ["started", "reset", "reset"]
    for run in runs:
        below = [span for span in found if span.parent_id == run.span_id]
        assert sorted(span.name for span in below) == ["activity flaky", "activity hang"]
        assert {span.end for span in below} == {run.end}
        assert all(span.start >= run.start for span in below)
    assert len({span.span_id for span in found}) == len(found)
    assert not runs[0].open
    assert runs[2].open
    await client.get_workflow_handle("reset").terminate()


@pytest.mark.asyncio
async def test_ids_are_stable_when_runs_are_deleted(server: SharedServer) -> None:
    """When retention has deleted runs, the trace id is the same, and the trace is marked as incomplete."""
    client = await server.connect()
    async with worker(client):
        await client.start_workflow(Rolls.run, 2, id="rolls", task_queue=QUEUE)
        links = await wait_for(lambda: links_of(client, 3))
        await client.get_workflow_handle("rolls-child").signal(Tree.go, False)
        await client.get_workflow_handle("rolls-child").result()
    before = await spans(client, "rolls")
    child = await spans(client, "rolls-child")
    assert {span.trace_id for span in child} == {span.trace_id for span in before}
    for link in links[:2]:
        await delete(client, "rolls", link.run_id)
    assert await spans(client, "rolls-child") == child
    left = await spans(client, "rolls")
    assert one(left, "workflow Rolls").attributes["temporal.incomplete"] is True
    assert {span.span_id for span in left} <= {span.span_id for span in before}
    await client.get_workflow_handle("rolls").terminate()
    await delete(client, "rolls", links[-1].run_id)
    with pytest.raises(CannotAsk, match="there is no workflow rolls"):
        await spans(client, "rolls")
    assert [span.span_id for span in await spans(client, "rolls-child")] == [span.span_id for span in child]
