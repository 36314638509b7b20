"""The worker plugin: it exports closed workflows, and a collector never blocks a worker."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from datetime import timedelta

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner, Worker

from devserver.otel import HistorySpans, exporter, plugin
from tests.devserver.otel.test_histories import ended, spans, worker
from tests.devserver.otel.test_tree import wait_for
from tests.devserver.otel.work import ACTIVITIES, QUEUE, WORKFLOWS, Stubborn, Tree
from tests.helpers.collector import Collector
from tests.helpers.shared_server import SharedServer
from tests.helpers.traced import Buggy

LIMIT = 60.0


class RecordingExporter(SpanExporter):
    """A custom exporter that can be blocked."""

    def __init__(self, *, hangs: bool = False) -> None:
        """Start without spans."""
        self.spans: list[ReadableSpan] = []
        self.may_go_on, self.begun = threading.Event(), threading.Event()
        self.flushed, self.down = 0, False
        self.daemons: set[bool] = set()
        if not hangs:
            self.may_go_on.set()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Record the spans."""
        self.daemons.add(threading.current_thread().daemon)
        self.begun.set()
        self.may_go_on.wait()
        self.spans += spans
        return SpanExportResult.SUCCESS

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Count the flush."""
        self.flushed += 1
        return True

    def shutdown(self) -> None:
        """Record the shutdown."""
        self.down = True

    @property
    def names(self) -> list[str]:
        """Return the names of the spans."""
        return [span.name for span in self.spans]


@pytest.mark.asyncio
async def test_a_worker_exports_closed_runs(server: SharedServer, otlp: Collector) -> None:
    """Each run is exported when it closes, with the workflow's span last; runs that closed before the worker started
    are exported too."""
    client = await server.connect()
    async with worker(client):
        await ended(client, "early")
    async with worker(client, HistorySpans(otlp.url)):
        await asyncio.to_thread(otlp.wait_for, "workflow Tree")
        early = otlp.named("workflow Tree")[0]
        await ended(client, "late", fail=True)
        await asyncio.to_thread(otlp.wait_for, "workflow Tree", 2)
        await asyncio.to_thread(otlp.wait_for, "run Leaf", 4)
    late = otlp.named("workflow Tree")[1]
    assert (early.status.code, late.status.code) == (0, 2)
    expected = {span.span_id.to_bytes(8, "big") for span in await spans(client, "late")}
    assert {span.span_id for span in otlp.spans if span.trace_id == late.trace_id} == expected


@pytest.mark.asyncio
async def test_an_unreachable_collector_does_not_affect_workflows(
    server: SharedServer, otlp: Collector, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The workflow completes, the log says what was not exported, and the export is retried when the collector is
    back. The worker can stop meanwhile."""
    monkeypatch.setattr(exporter, "SCAN_SECONDS", 0.1)
    monkeypatch.setattr(exporter, "REPORT_SECONDS", 0.0)
    client = await server.connect()
    otlp.answer = 400

    async def warned() -> bool:
        return "the spans of late (run" in caplog.text

    async with worker(client, HistorySpans(otlp.url, catch_up=timedelta(0))):
        await ended(client, "late")
        await wait_for(warned)
        assert otlp.spans == []
        otlp.answer = 200
        await asyncio.to_thread(otlp.wait_for, "workflow Tree")
        otlp.answer = 400
        await ended(client, "unseen")
    assert "the spans of unseen" in caplog.text
    assert len(otlp.named("workflow Tree")) == 1


@pytest.mark.asyncio
async def test_a_client_passes_the_plugin_to_its_workers(server: SharedServer) -> None:
    """Several workers share it; a worker without workflows exports nothing; a plugin given twice exports once. A
    custom exporter is flushed but not shut down."""
    recording = RecordingExporter()
    spans_plugin = HistorySpans(exporter=recording, catch_up=timedelta(0))
    client = await server.connect(plugins=[spans_plugin])
    only_activities = Worker(client, task_queue="activities", activities=ACTIVITIES)
    other = Worker(client, task_queue="other", workflows=WORKFLOWS)
    with pytest.warns(UserWarning, match="present from both client and worker"):
        twice = worker(client, spans_plugin)
    async with only_activities, other, twice:
        await ended(client, "tree")
    assert sorted(recording.names) == sorted(span.name for span in await spans(client, "tree"))
    assert (recording.flushed, recording.down) == (2, False)
    async with worker(client):
        await ended(client, "again")
    assert recording.names.count("workflow Tree") == 2


@pytest.mark.asyncio
@pytest.mark.filterwarnings("ignore:.*present from both client and worker")
async def test_plugins_of_client_and_worker_for_one_collector(server: SharedServer, otlp: Collector) -> None:
    """A client and its worker that each have a plugin for the same collector send each span once."""
    client = await server.connect(plugins=[HistorySpans(otlp.url, catch_up=timedelta(0))])
    async with worker(client, HistorySpans(otlp.url, catch_up=timedelta(0))):
        await ended(client, "tree")
    assert sorted(span.name for span in otlp.spans) == sorted(span.name for span in await spans(client, "tree"))


@pytest.mark.asyncio
async def test_two_collectors_get_the_same_spans(server: SharedServer, otlp: Collector) -> None:
    """Two plugins on one worker both get all spans."""
    client = await server.connect()
    recording = RecordingExporter()
    async with worker(client, HistorySpans(otlp.url), HistorySpans(exporter=recording)):
        await ended(client, "tree")
    assert sorted(recording.names) == sorted(span.name for span in otlp.spans)
    assert "workflow Tree" in recording.names


@pytest.mark.asyncio
async def test_a_collector_that_hangs_blocks_nothing(
    server: SharedServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workflows continue, and the worker stops within its timeout and says what was not exported."""
    monkeypatch.setattr(plugin, "FINISH_SECONDS", 0.2)
    client = await server.connect()
    recording = RecordingExporter(hangs=True)

    async def work() -> None:
        async with worker(client, HistorySpans(exporter=recording)):
            for number in range(4):
                await ended(client, f"hangs-{number}")
            await asyncio.to_thread(recording.begun.wait, LIMIT)

    try:
        await asyncio.wait_for(work(), LIMIT)
        assert recording.daemons == {True}  # a daemon thread does not delay the exit, unlike those of the event loop
        assert "runs are not sent: the worker has stopped" in caplog.text
    finally:
        recording.may_go_on.set()


@pytest.mark.asyncio
async def test_runs_closed_without_a_worker_are_exported(server: SharedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminated workflow on a task queue with a quote in its name is exported."""
    monkeypatch.setattr(exporter, "SCAN_SECONDS", 0.1)
    client = await server.connect()
    recording = RecordingExporter()
    async with Worker(client, task_queue="it's", workflows=[Tree], plugins=[HistorySpans(exporter=recording)]):
        handle = await client.start_workflow(Tree.run, id="stopped", task_queue="it's")
        await handle.execute_update(Tree.name, "Ada")
        await handle.terminate("enough")
        assert await asyncio.to_thread(recording.begun.wait, LIMIT)
    assert "workflow Tree" in recording.names


@pytest.mark.asyncio
async def test_an_eviction_is_not_a_close(server: SharedServer) -> None:
    """Code that treats a cancellation as its end is evicted without an export. When it closes, it is exported, and
    replays with and without the plugin."""
    client = await server.connect()
    recording = RecordingExporter()
    history_spans = HistorySpans(exporter=recording, catch_up=timedelta(0))
    handle = await client.start_workflow(Stubborn.run, id="stubborn", task_queue=QUEUE)
    other = await client.start_workflow(Stubborn.run, id="other", task_queue=QUEUE)

    async def work() -> None:
        small = worker(client, history_spans, max_cached_workflows=1)
        async with small:
            for _ in range(3):  # each evicts the other one
                await handle.query(Stubborn.asked)
                await other.query(Stubborn.asked)

    await asyncio.wait_for(work(), LIMIT)
    assert recording.spans == []
    async with worker(client, history_spans):
        await handle.cancel()
        assert await handle.result() == "stubborn"
    assert recording.names == ["run Stubborn", "workflow Stubborn"]
    await other.terminate()
    await Replayer(workflows=[Stubborn], plugins=[history_spans]).replay_workflow(await handle.fetch_history())


@pytest.mark.asyncio
async def test_a_failed_workflow_task_is_not_a_close(server: SharedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The task is retried, nothing is exported, and the worker can stop before the run closes."""
    monkeypatch.setattr(plugin, "FINISH_SECONDS", 3600.0)
    client = await server.connect()
    recording = RecordingExporter()
    plugins = [HistorySpans(exporter=recording, catch_up=timedelta(0))]
    handle = await client.start_workflow(Buggy.run, id="buggy", task_queue=QUEUE)

    async def failing() -> bool:
        events = (await handle.fetch_history()).events
        return any(event.HasField("workflow_task_failed_event_attributes") for event in events)

    async def work() -> None:
        runner = UnsandboxedWorkflowRunner()
        async with Worker(client, task_queue=QUEUE, workflows=[Buggy], plugins=plugins, workflow_runner=runner):
            await wait_for(failing)

    await asyncio.wait_for(work(), LIMIT)
    await handle.terminate()
    assert recording.spans == []
