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
from .exporter import Sending
from .exporter_thread import close
from .otlp import otlp_exporter, without_secrets

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

NAME = "devserver.HistorySpans"
ENDED = "devserver_spans_ended"
CATCH_UP = timedelta(hours=1)
FINISH_SECONDS = 10.0


class HistorySpans(SimplePlugin):
    """Sends the spans of each workflow run that ends on this worker, made of its history: they begin when it began,
    weeks and many workers ago, and have the same ids whoever sends them.

        Worker(client, task_queue="orders", workflows=[Order], plugins=[HistorySpans("http://127.0.0.1:4318")])

    Given to a client, it is for all workers of that client. Spans are sent beside the work: a collector that does not
    answer costs a warning in the log (`devserver.otel`) and no workflow anything. Runs that were terminated or timed
    out are found by asking the server, as are those that ended while no worker was there, up to `catch_up` ago.

    Args:
        endpoint: Of a collector that speaks OTLP over HTTP.
        exporter: Any exporter of the OpenTelemetry SDK instead. It is flushed when a worker ends; to shut it down is
            left to you, as other workers may use it.
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
        if endpoint is not None:
            otlp_exporter(endpoint)  # what is wrong with it is said now
        self._endpoint = endpoint
        self._exporter = exporter
        self._where = without_secrets(endpoint) if endpoint is not None else type(exporter).__name__
        self._catch_up = catch_up

    def configure_worker(self, config: WorkerConfig) -> WorkerConfig:
        """Listen to the worker's workflows."""
        config = super().configure_worker(config)
        interceptors = list(config.get("interceptors") or [])
        if _of(self, interceptors) is None:  # a worker may have it from its client, too
            interceptors.append(_Ended(self))
        config["interceptors"] = interceptors
        return config

    async def run_worker(self, worker: Worker, next: Callable[[Worker], Awaitable[None]]) -> None:  # noqa: A002 - the SDK's name
        """Run the worker, and send what ends meanwhile; what is left at its end within 10 s."""
        config = worker.config(active_config=True)
        listener = _of(self, config.get("interceptors") or [])
        if listener is None or listener.sending is not None or not config.get("workflows"):
            await super().run_worker(worker, next)
            return
        exporter = self._exporter or otlp_exporter(self._endpoint or "")
        sending = listener.sending = Sending(worker, exporter, self._where)
        scan = asyncio.ensure_future(sending.scan(self._catch_up))
        try:
            await super().run_worker(worker, next)
        finally:
            scan.cancel()
            finishing = asyncio.ensure_future(self._finish(listener, sending, exporter))
            # An SDK before 1.35 cancels this at the end of `async with`, and for that whoever has used the worker.
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.shield(finishing)

    async def _finish(self, listener: _Ended, sending: Sending, exporter: SpanExporter) -> None:
        ends = asyncio.get_running_loop().time() + FINISH_SECONDS
        await sending.finish(FINISH_SECONDS)
        listener.sending = None
        left = max(1.0, ends - asyncio.get_running_loop().time())
        await close(exporter, left, shut_down=self._exporter is None)


class _Ended(Interceptor):
    """Tells which runs the worker's own code has ended."""

    def __init__(self, plugin: HistorySpans) -> None:
        self.plugin = plugin
        self.sending: Sending | None = None
        self._others: Callable[[str, str], None] | None = None

    def tell(self, workflow_id: str, run_id: str) -> None:
        """Called from a workflow's thread."""
        if self.sending is not None:
            self.sending.ended(workflow_id, run_id)
        if self._others is not None:
            self._others(workflow_id, run_id)

    def workflow_interceptor_class(
        self,
        input: WorkflowInterceptorClassInput,  # noqa: A002 - the SDK's name
    ) -> type[WorkflowInboundInterceptor] | None:
        """The part that runs beside a workflow's code: one for all plugins of this kind that a worker has."""
        self._others = input.unsafe_extern_functions.get(ENDED)
        input.unsafe_extern_functions[ENDED] = self.tell
        return _Inbound if self._others is None else None


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


def _of(plugin: HistorySpans, interceptors: Any) -> _Ended | None:
    """What `configure_worker` of this plugin gave to a worker."""
    return next((each for each in interceptors if isinstance(each, _Ended) and each.plugin is plugin), None)
