"""The worker plugin: sends a run's spans when it has ended, also after restarts, and what ended without a worker."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from temporalio import workflow
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.plugin import SimplePlugin
from temporalio.worker import (
    ExecuteWorkflowInput,
    Interceptor,
    Worker,
    WorkerConfig,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)

from ..errors import DevServerError, OptionError
from ..history.calls import Calls
from .histories import spans_of_run
from .otlp import otlp_exporter, send

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

NAME = "devserver.HistorySpans"
ENDED = "devserver_spans_ended"
FINISH_SECONDS = 10.0
SCAN_SECONDS = 30.0
AT_ONCE = 4
MOST_AT_ONCE = 10_000
MOST_KNOWN = 100_000
CATCH_UP = timedelta(hours=1)
OVERLAP = timedelta(seconds=10)  # visibility may lag behind the server's clock
log = logging.getLogger("devserver.spans")

RunIds = tuple[str, str]


class HistorySpans(SimplePlugin):
    """Sends the spans of each workflow run that ends on this worker, made of its history: they begin when it began,
    weeks and many workers ago, and have the same ids whoever sends them.

        Worker(client, task_queue="orders", workflows=[Order], plugins=[HistorySpans("http://127.0.0.1:4318")])

    Spans are sent beside the work: a collector that does not answer costs a warning in the log (`devserver.spans`) and
    no workflow anything. Runs that were terminated or timed out are found by asking the server, as are those that ended
    while no worker was there, up to `catch_up` ago.

    Args:
        endpoint: Of a collector that speaks OTLP over HTTP.
        exporter: Any exporter of the OpenTelemetry SDK instead.
        catch_up: How far back a starting worker looks; zero for not at all.

    Raises:
        OptionError: Neither endpoint nor exporter is given, or both, or the endpoint is no URL.
        OpenTelemetryMissing: The extra `otel` is not installed.
    """

    def __init__(
        self, endpoint: str | None = None, *, exporter: SpanExporter | None = None, catch_up: timedelta = CATCH_UP
    ) -> None:
        super().__init__(NAME)
        if (endpoint is None) == (exporter is None):
            raise OptionError("HistorySpans needs an endpoint or an exporter", hint="as in http://127.0.0.1:4318")
        self._exporter = exporter or otlp_exporter(endpoint or "")
        self._where = endpoint or type(self._exporter).__name__
        self._catch_up = catch_up

    def configure_worker(self, config: WorkerConfig) -> WorkerConfig:
        """Listen to the worker's workflows."""
        config = super().configure_worker(config)
        config["interceptors"] = [*(config.get("interceptors") or []), _Ended()]
        return config

    async def run_worker(self, worker: Worker, next: Callable[[Worker], Awaitable[None]]) -> None:  # noqa: A002 - the SDK's name
        """Run the worker, and send what ends meanwhile; what is left at its end within 10 s."""
        sending = _Sending(worker, self._exporter, self._where)
        _listener(worker).sending = sending
        scan = asyncio.ensure_future(sending.scan(self._catch_up))
        try:
            await super().run_worker(worker, next)
        finally:
            scan.cancel()
            await asyncio.gather(scan, return_exceptions=True)
            await sending.finish()


class _Ended(Interceptor):
    """Tells which runs the worker's own code has ended."""

    def __init__(self) -> None:
        self.sending: _Sending | None = None

    def tell(self, workflow_id: str, run_id: str) -> None:
        """Called from a workflow's thread."""
        if self.sending is not None:
            self.sending.ended(workflow_id, run_id)

    def workflow_interceptor_class(
        self,
        input: WorkflowInterceptorClassInput,  # noqa: A002 - the SDK's name
    ) -> type[WorkflowInboundInterceptor] | None:
        """The part that runs beside a workflow's code."""
        input.unsafe_extern_functions[ENDED] = self.tell
        return _Inbound


class _Inbound(WorkflowInboundInterceptor):
    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:  # noqa: A002 - the SDK's name
        try:
            result = await super().execute_workflow(input)
        except asyncio.CancelledError:
            # An eviction from the cache looks the same; only where somebody asked to cancel may the run have ended.
            if workflow.in_workflow() and workflow.cancellation_reason() is not None:
                _tell()
            raise
        except (Exception, workflow.ContinueAsNewError):
            _tell()
            raise
        _tell()
        return result


def _tell() -> None:
    if workflow.in_workflow() and not workflow.unsafe.is_replaying():
        info = workflow.info()
        workflow.extern_functions()[ENDED](info.workflow_id, info.run_id)


def _listener(worker: Worker) -> _Ended:
    """What `configure_worker` gave to this worker."""
    found = worker.config(active_config=True).get("interceptors") or []
    return next(each for each in found if isinstance(each, _Ended))


class _Sending:
    """One worker's: each run that has ended is sent in a task of its own, a few at a time."""

    def __init__(self, worker: Worker, exporter: SpanExporter, where: str) -> None:
        self._calls = Calls(worker.client)
        self._queue = worker.task_queue
        self._exporter = exporter
        self._where = where
        self._loop = asyncio.get_running_loop()
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        self._known: dict[RunIds, None] = {}

    def ended(self, workflow_id: str, run_id: str) -> None:
        """A run has ended; from any thread."""
        self._loop.call_soon_threadsafe(self._begin, (workflow_id, run_id))

    def _begin(self, run: RunIds) -> None:
        if run in self._known or len(self._tasks) >= MOST_AT_ONCE:
            return
        self._known[run] = None
        while len(self._known) > MOST_KNOWN:
            del self._known[next(iter(self._known))]
        task = asyncio.ensure_future(self._send(run))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send(self, run: RunIds) -> None:
        try:
            execution = WorkflowExecution(workflow_id=run[0], run_id=run[1])
            if await self._calls.close_event(execution, wait=True) is None:
                self._known.pop(run, None)  # it goes on: its last task was lost, or failed
                return
            async with self._turns:
                await send(spans_of_run(self._calls.client, *run), self._exporter, where=self._where)
        except DevServerError as error:
            log.warning("the spans of %s (run %s) are not sent: %s", *run, error)
        except Exception:
            log.exception("the spans of %s (run %s) are not sent", *run)

    async def scan(self, catch_up: timedelta) -> None:
        """Find what ended without code of this worker: before it began, by termination, by a timeout."""
        since = datetime.now(timezone.utc)
        if catch_up > timedelta(0):
            await self._find(f"ExecutionStatus != 'Running' AND CloseTime > '{_text(since - catch_up)}'")
        while True:
            await asyncio.sleep(SCAN_SECONDS)
            now = datetime.now(timezone.utc)
            ends = "ExecutionStatus IN ('Terminated', 'TimedOut', 'Canceled')"
            await self._find(f"{ends} AND CloseTime > '{_text(since - OVERLAP)}'")
            since = now

    async def _find(self, query: str) -> None:
        try:
            async for info in self._calls.listed(f"TaskQueue = '{self._queue}' AND {query}", MOST_AT_ONCE):
                self._begin((info.execution.workflow_id, info.execution.run_id))
        except DevServerError as error:
            log.warning("workflows that ended without this worker are not found: %s", error)

    async def finish(self) -> None:
        """Send what waits, within 10 s."""
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=FINISH_SECONDS)
        for task in late:
            task.cancel()
        if late:
            await asyncio.gather(*late, return_exceptions=True)
            log.warning("the spans of %s runs are not sent: the worker has ended", len(late))


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
