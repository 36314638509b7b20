"""A workflow's history as spans, on the real server."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.worker import Worker

from devserver.errors import CannotAsk, OptionError
from devserver.otel import ExportFailed, HistorySpan, HistorySpans, spans_of
from devserver.otel.otlp import otlp_exporter, send
from devserver.otel.readable_spans import nanoseconds
from tests.devserver.otel.work import ACTIVITIES, QUEUE, SOON, WORKFLOWS, Tree
from tests.helpers.collector import Collector
from tests.helpers.shared_server import SharedServer


async def spans(client: Client, workflow_id: str) -> list[HistorySpan]:
    """Return all spans of a workflow."""
    return [span async for span in spans_of(client, workflow_id)]


def one(found: list[HistorySpan], name: str) -> HistorySpan:
    """Return the only span of that name."""
    (span,) = [span for span in found if span.name == name]
    return span


def worker(client: Client, *plugins: HistorySpans, max_cached_workflows: int = 1000) -> Worker:
    """A worker of the workflows."""
    return Worker(
        client,
        task_queue=QUEUE,
        workflows=WORKFLOWS,
        activities=ACTIVITIES,
        plugins=plugins,
        max_cached_workflows=max_cached_workflows,
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=1),  # the next worker's delay
    )


async def ended(client: Client, workflow_id: str, *, fail: bool = False) -> None:
    """Run a tree workflow to its end."""
    handle = await client.start_workflow(Tree.run, id=workflow_id, task_queue=QUEUE)
    await handle.execute_update(Tree.name, "Ada")
    await handle.signal(Tree.go, fail)
    if fail:
        with pytest.raises(WorkflowFailureError):
            await handle.result()
    else:
        await handle.result()


@pytest.mark.asyncio
async def test_a_history_becomes_one_tree_of_spans_with_its_times(server: SharedServer) -> None:
    """Activities, timers, updates, children and their runs are below their parents; signals are events of the run."""
    client = await server.connect()
    async with worker(client):
        await ended(client, "tree")
    found = await spans(client, "tree")
    whole, run, child = one(found, "workflow Tree"), one(found, "run Tree"), one(found, "child Leaf")
    assert {span.trace_id for span in found} == {whole.trace_id}
    assert len({span.span_id for span in found}) == len(found)
    assert (whole.parent_id, run.parent_id, child.parent_id) == (None, whole.span_id, run.span_id)
    assert one(found, "timer").parent_id == one(found, "update name").parent_id == run.span_id
    leaf = one(found, "workflow Leaf")
    runs = [span for span in found if span.name == "run Leaf"]
    assert leaf.parent_id == child.span_id
    assert [span.parent_id for span in runs] == [leaf.span_id] * 2
    assert [span.attributes["temporal.how"] for span in runs] == ["started", "continued_as_new"]
    assert (leaf.start, leaf.end) == (runs[0].start, runs[1].end)
    busy = [span for span in found if span.name == "activity busy"]
    assert [span.parent_id for span in busy] == [span.span_id for span in runs]
    assert {span.attributes["temporal.attempts"] for span in busy} == {2}
    assert {span.error for span in found} == {None}
    assert "signal go" in [event.name for event in run.events]
    description = await client.get_workflow_handle("tree").describe()
    assert (whole.start, whole.end) == (description.start_time, description.close_time)


@pytest.mark.asyncio
async def test_spans_are_stable(server: SharedServer) -> None:
    """Ids, parents and start times are the same while the workflow is open, after a worker restart, when it is
    closed, and from the child alone."""
    client = await server.connect()
    handle = await client.start_workflow(Tree.run, id="again", task_queue=QUEUE, task_timeout=SOON)
    async with worker(client):
        await handle.execute_update(Tree.name, "Ada")
    before = {span.span_id: span for span in await spans(client, "again")}
    assert {span.name for span in before.values() if span.open} >= {"workflow Tree", "run Tree"}
    async with worker(client):
        await handle.signal(Tree.go, False)
        await handle.result()
    after = {span.span_id: span for span in await spans(client, "again")}
    assert before.keys() <= after.keys()
    for span_id, span in before.items():
        now = after[span_id]
        assert (now.trace_id, now.parent_id, now.name, now.start) == (
            span.trace_id,
            span.parent_id,
            span.name,
            span.start,
        )
        assert not now.open
        assert span.open or span.end == now.end
    child = await spans(client, "again-leaf")
    assert child == [after[span.span_id] for span in child]


@pytest.mark.asyncio
async def test_steps_before_a_reset_appear_once(server: SharedServer) -> None:
    """Steps before the reset belong to the run that executed them."""
    client = await server.connect()
    async with worker(client):
        await ended(client, "reset")
        handle = client.get_workflow_handle("reset")
        history = await handle.fetch_history()
        last = max(
            event.event_id for event in history.events if event.HasField("workflow_task_completed_event_attributes")
        )
        from temporalio.api.common.v1 import WorkflowExecution
        from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest

        await client.workflow_service.reset_workflow_execution(
            ResetWorkflowExecutionRequest(
                namespace=client.namespace,
                workflow_execution=WorkflowExecution(workflow_id="reset"),
                workflow_task_finish_event_id=last,
                request_id="once",
                reason="try",
            )
        )
        await client.get_workflow_handle("reset").result()
    found = await spans(client, "reset")
    assert [span.attributes["temporal.how"] for span in found if span.name == "run Tree"] == ["started", "reset"]
    assert len([span for span in found if span.name == "timer"]) == 1
    assert len([span for span in found if span.name == "child Leaf"]) == 1


@pytest.mark.asyncio
async def test_export_to_a_collector(server: SharedServer, otlp: Collector) -> None:
    """A failed activity and its workflow have error status and message; times have microseconds."""
    client = await server.connect()
    async with worker(client):
        await ended(client, "fails", fail=True)
    sent = await send(spans_of(client, "fails"), otlp_exporter(otlp.url), where=otlp.url)
    assert (sent.spans, sent.open) == (len(otlp.spans), 0)
    (activity,), (whole,) = otlp.named("activity refuse"), otlp.named("workflow Tree")
    assert (activity.status.code, activity.status.message) == (2, "CardDeclined: card declined")
    assert whole.status.code == 2
    description = await client.get_workflow_handle("fails").describe()
    assert description.close_time is not None
    assert (whole.start_time_unix_nano, whole.end_time_unix_nano) == (
        nanoseconds(description.start_time),
        nanoseconds(description.close_time),
    )
    assert otlp.services == ["temporal"]


@pytest.mark.asyncio
async def test_open_spans_are_exported_on_request(server: SharedServer, otlp: Collector) -> None:
    """By default only closed spans are exported; an open one is marked as such."""
    client = await server.connect()
    handle = await client.start_workflow(Tree.run, id="open", task_queue=QUEUE)
    exporter = otlp_exporter(otlp.url)
    async with worker(client):
        await handle.execute_update(Tree.name, "Ada")
        sent = await send(spans_of(client, "open"), exporter, where=otlp.url)
        assert sent.open >= 2
        assert not otlp.named("workflow Tree")
        await send(spans_of(client, "open"), exporter, where=otlp.url, include_open=True)
    (span,) = otlp.named("workflow Tree")
    assert {attribute.key: attribute.value.bool_value for attribute in span.attributes}["temporal.open"] is True


@pytest.mark.asyncio
async def test_errors(server: SharedServer, otlp: Collector) -> None:
    """An unknown workflow, a collector that refuses or is unreachable, and an invalid URL are errors with a reason."""
    client = await server.connect()
    with pytest.raises(CannotAsk, match="there is no workflow nobody"):
        await spans(client, "nobody")
    await client.start_workflow("Tree", id="waits", task_queue="nowhere")
    otlp.answer = 403
    with pytest.raises(ExportFailed, match="did not accept 2 spans") as refused:
        await send(spans_of(client, "waits"), otlp_exporter(otlp.url), where=otlp.url, include_open=True)
    assert "403" in str(refused.value)
    gone = "http://127.0.0.1:9"
    with pytest.raises(ExportFailed, match=r"127\.0\.0\.1:9"):
        await send(spans_of(client, "waits"), otlp_exporter(gone, seconds=0.1), where=gone, include_open=True)
    grpc = f"http://{server.address}"  # a gRPC server, as a collector's port 4317
    with pytest.raises(ExportFailed, match=re.escape(grpc)) as refused:
        await send(spans_of(client, "waits"), otlp_exporter(grpc, seconds=0.5), where=grpc, include_open=True)
    assert "4317 is gRPC" in str(refused.value.hint)
    for bad in ("localhost:4318", "http://", "http://[::1", "http://127.0.0.1:99999", "ftp://127.0.0.1"):
        with pytest.raises(OptionError, match="not an OTLP endpoint"):
            otlp_exporter(bad)
    with pytest.raises(OptionError, match="an endpoint or an exporter"):
        HistorySpans()
