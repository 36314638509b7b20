"""The worker plugin: sends a run's spans when it has ended, also after restarts, and what ended without a worker."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from temporalio import workflow
from temporalio.plugin import SimplePlugin
from temporalio.worker import (
    ExecuteWorkflowInput,
    Interceptor,
    Worker,
    WorkerConfig,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)

from ..errors import OptionError
from .exporter import RunExporter
from .otlp import close, otlp_exporter, without_secrets

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

NAME = "devserver.HistorySpans"
ENDED = "devserver_spans_ended"
CATCH_UP = timedelta(hours=1)
FINISH_SECONDS = 10.0


class HistorySpans(SimplePlugin):
    """A worker or client plugin that sends the spans of each workflow run that closes on the worker.

    Spans are made of the history: they start when the run started, maybe weeks and many workers ago, and have the same
    ids whoever sends them.

        Worker(client, task_queue="orders", workflows=[Order], plugins=[HistorySpans("http://127.0.0.1:4318")])

    As a plugin of a client it works for all workers of that client. Exports never delay a workflow: a collector that
    does not answer causes a warning in the log `devserver.otel`. Runs that were terminated or timed out are found by
    listing them, and so are runs that closed while no worker was running, up to `catch_up` ago.

    Args:
        endpoint: URL of a collector that accepts OTLP over HTTP.
        exporter: An exporter of the OpenTelemetry SDK instead. It is flushed when a worker stops; shut it down
            yourself, as other workers may use it.
        catch_up: How far back a worker looks when it starts; zero: not at all.

    Raises:
        OptionError: Neither endpoint nor exporter is set, or both are, or the endpoint is not a URL.
        OpenTelemetryMissing: The extra `otel` is not installed.
    """

    def __init__(
        self, endpoint: str | None = None, *, exporter: SpanExporter | None = None, catch_up: timedelta = CATCH_UP
    ) -> None:
        super().__init__(NAME)
        if (endpoint is None) == (exporter is None):
            raise OptionError(
                "HistorySpans needs an endpoint or an exporter",
                hint="write for example HistorySpans('http://127.0.0.1:4318')",
            )
        if endpoint is not None:
            otlp_exporter(endpoint)  # raises now if it is wrong
        self._endpoint = endpoint
        self._exporter = exporter
        self._where = without_secrets(endpoint) if endpoint is not None else type(exporter).__name__
        self._catch_up = catch_up

    @property
    def destination(self) -> object:
        """Where the spans go; a worker with several plugins for one destination sends them once."""
        return self._endpoint if self._exporter is None else id(self._exporter)

    def configure_worker(self, config: WorkerConfig) -> WorkerConfig:
        """Add the interceptor that notices closing runs."""
        config = super().configure_worker(config)
        interceptors = list(config.get("interceptors") or [])
        if _of(self, interceptors) is None:  # the worker may have it from its client already
            interceptors.append(_ClosedRuns(self))
        config["interceptors"] = interceptors
        return config

    async def run_worker(self, worker: Worker, next: Callable[[Worker], Awaitable[None]]) -> None:  # noqa: A002 - the SDK's name
        """Run the worker and send the spans of runs that close; those left when it stops within 10 s."""
        config = worker.config(active_config=True)
        listener = _of(self, config.get("interceptors") or [])
        if listener is None or listener.exporting is not None or not config.get("workflows"):
            await super().run_worker(worker, next)
            return
        exporter = self._exporter or otlp_exporter(self._endpoint or "")
        exporting = listener.exporting = RunExporter(worker, exporter, self._where)
        scan = asyncio.ensure_future(exporting.scan(self._catch_up))
        try:
            await super().run_worker(worker, next)
        finally:
            scan.cancel()
            finishing = asyncio.ensure_future(self._finish(listener, exporting, exporter))
            # SDKs before 1.35 cancel this at the end of `async with`, and with it the user of the worker.
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.shield(finishing)

    async def _finish(self, listener: _ClosedRuns, exporting: RunExporter, exporter: SpanExporter) -> None:
        ends = asyncio.get_running_loop().time() + FINISH_SECONDS
        await exporting.finish(FINISH_SECONDS)
        listener.exporting = None
        left = max(1.0, ends - asyncio.get_running_loop().time())
        await close(exporter, left, shut_down=self._exporter is None)


class _ClosedRuns(Interceptor):
    """Reports the runs that the worker's own code closes."""

    def __init__(self, plugin: HistorySpans) -> None:
        self.plugin = plugin
        self.exporting: RunExporter | None = None
        self._others: Callable[[str, str], None] | None = None

    def run_closed(self, workflow_id: str, run_id: str) -> None:
        """A run has closed, or may have. Called from a workflow's thread."""
        if self.exporting is not None:
            self.exporting.run_closed(workflow_id, run_id)
        if self._others is not None:
            self._others(workflow_id, run_id)

    def workflow_interceptor_class(
        self,
        input: WorkflowInterceptorClassInput,  # noqa: A002 - the SDK's name
    ) -> type[WorkflowInboundInterceptor] | None:
        """The interceptor of workflows: one for all plugins of this class that the worker has."""
        self._others = input.unsafe_extern_functions.get(ENDED)
        input.unsafe_extern_functions[ENDED] = self.run_closed
        return _Inbound if self._others is None else None


class _Inbound(WorkflowInboundInterceptor):
    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:  # noqa: A002 - the SDK's name
        try:
            result = await super().execute_workflow(input)
        except asyncio.CancelledError:
            # An eviction from the cache looks the same; the run can only have closed if its cancellation was requested.
            if workflow.in_workflow() and workflow.cancellation_reason() is not None:
                _report()
            raise
        except (Exception, workflow.ContinueAsNewError):
            _report()
            raise
        _report()
        return result


def _report() -> None:
    if workflow.in_workflow() and not workflow.unsafe.is_replaying():
        info = workflow.info()
        workflow.extern_functions()[ENDED](info.workflow_id, info.run_id)


def _of(plugin: HistorySpans, interceptors: Any) -> _ClosedRuns | None:
    """The interceptor that this plugin, or another one for the same collector, added to a worker."""
    own = (
        item for item in interceptors if isinstance(item, _ClosedRuns) and item.plugin.destination == plugin.destination
    )
    return next(own, None)
