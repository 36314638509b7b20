"""Exports the spans of closed runs while a worker runs, and finds runs that closed without its code."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Coroutine
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.worker import Worker

from ..client.calls import ServiceCalls
from ..client.list_filters import quote, quote_time
from ..errors import DevServerError
from .histories import spans_of_run
from .otlp import ExportFailed, send

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

SCAN_SECONDS = 30.0
REPORT_SECONDS = 10.0
MAX_CONCURRENT = 4
MAX_TASKS = 10_000
MAX_KNOWN = 100_000
RETRY_SECONDS = 3600.0  # how long spans that a collector refused are retried
OVERLAP = timedelta(seconds=10)  # visibility may lag behind the server's clock
log = logging.getLogger("devserver.otel")

RunIds = tuple[str, str]


class RunExporter:
    """Exports the closed runs of one worker, each in a task of its own, a few at a time."""

    def __init__(self, worker: Worker, exporter: SpanExporter, where: str) -> None:
        self._calls = ServiceCalls(worker.client)
        self._queue = worker.task_queue
        self._exporter = exporter
        self._where = where
        self._loop = asyncio.get_running_loop()
        self._turns = asyncio.Semaphore(MAX_CONCURRENT)
        self._worker_is_gone = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._known: dict[RunIds, None] = {}
        self._refused: dict[RunIds, float] = {}  # run -> since when
        self._unsent = _Unsent()

    def run_closed(self, workflow_id: str, run_id: str) -> None:
        """A run has closed, or may have: its worker has asked the server to close it. Call this from any thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody stopped the worker
            self._loop.call_soon_threadsafe(self._begin, (workflow_id, run_id), True)

    def _begin(self, run: RunIds, wait: bool = False) -> None:
        if run in self._known:
            return
        if len(self._tasks) >= MAX_TASKS:
            self._unsent.add(run, f"more than {MAX_TASKS:,} runs are waiting")
            return
        self._known[run] = None
        while len(self._known) > MAX_KNOWN:
            del self._known[next(iter(self._known))]
        task = asyncio.ensure_future(self._send(run, wait))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send(self, run: RunIds, wait: bool) -> None:
        try:
            if wait and not await self._has_closed(run):
                self._known.pop(run, None)  # it is open: its last task was lost, failed, or was an eviction
                return
            async with self._turns:
                await self._export(run)
        except ExportFailed as error:
            if len(self._refused) < MAX_TASKS:
                self._refused[run] = time.monotonic()
            self._unsent.add(run, error)
        except DevServerError as error:
            self._unsent.add(run, error)
        except Exception:
            log.exception("cannot send the spans of %s (run %s)", *run)

    async def _export(self, run: RunIds) -> None:
        await send(spans_of_run(self._calls.client, *run), self._exporter, where=self._where)

    async def _retry(self) -> None:
        """Send again what the collector refused, run by run, until it refuses again."""
        for run, since in list(self._refused.items()):
            try:
                await self._export(run)
            except ExportFailed as error:
                self._unsent.add(run, error)
                if time.monotonic() - since < RETRY_SECONDS:
                    self._refused[run] = self._refused.pop(run)  # maybe only this run is refused: others first
                    return
            except Exception as error:  # noqa: BLE001 - its history is gone, or cannot be read
                self._unsent.add(run, error)
            del self._refused[run]

    async def _has_closed(self, run: RunIds) -> bool:
        execution = WorkflowExecution(workflow_id=run[0], run_id=run[1])
        if await self._unless_gone(self._calls.close_event(execution, wait=True)) is not None:
            return True
        if not self._worker_is_gone.is_set():
            return False
        described = await self._calls.describe_workflow(*run)  # the worker is gone: it closes nothing anymore
        return described is not None and described.workflow_execution_info.HasField("close_time")

    async def _unless_gone(self, asking: Coroutine[Any, Any, Any]) -> Any:
        """The answer; None once the worker has stopped."""
        asked = asyncio.ensure_future(asking)
        gone = asyncio.ensure_future(self._worker_is_gone.wait())
        try:
            await asyncio.wait((asked, gone), return_when=asyncio.FIRST_COMPLETED)
            return asked.result() if asked.done() else None
        finally:
            asked.cancel()
            gone.cancel()

    async def scan(self, catch_up: timedelta) -> None:
        """Find runs that closed without this worker: before it started, by termination, by a timeout.

        Also retries from time to time what a collector refused.
        """
        since = datetime.now(timezone.utc)
        if catch_up > timedelta(0):
            await self._find(f"ExecutionStatus != 'Running' AND CloseTime > {quote_time(since - catch_up)}")
        while True:
            await asyncio.sleep(SCAN_SECONDS)
            now = datetime.now(timezone.utc)
            ends = "ExecutionStatus IN ('Terminated', 'TimedOut', 'Canceled')"
            await self._find(f"{ends} AND CloseTime > {quote_time(since - OVERLAP)}")
            since = now
            await self._retry()

    async def _find(self, query: str) -> None:
        try:
            async for info in self._calls.list_workflows(f"TaskQueue = {quote(self._queue)} AND {query}", MAX_TASKS):
                self._begin((info.execution.workflow_id, info.execution.run_id))
        except DevServerError as error:
            log.warning("cannot find workflows that closed without this worker: %s", error)
        except Exception:
            log.exception("cannot find workflows that closed without this worker")

    async def finish(self, seconds: float) -> None:
        """The worker has stopped: send what is waiting, within a number of seconds."""
        self._worker_is_gone.set()
        await asyncio.sleep(0)  # the last reports of workflow threads
        try:
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=seconds)
        finally:
            if self._tasks:
                log.warning("the spans of %s runs are not sent: the worker has stopped", len(self._tasks))
            for task in self._tasks:
                task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._unsent.report()


class _Unsent:
    """Logs which runs were not sent: the first at once, then at most one line in 10 s."""

    def __init__(self) -> None:
        self._next = 0.0
        self._others = 0
        self._last: tuple[RunIds, object] | None = None

    def add(self, run: RunIds, why: object) -> None:
        """Add a run, with the reason."""
        self._others += self._last is not None
        self._last = (run, why)
        if time.monotonic() >= self._next:
            self.report()

    def report(self) -> None:
        """Log the runs that were added since the last report."""
        if self._last is None:
            return
        run, why = self._last
        others = f", and of {self._others:,} other runs," if self._others else ""
        log.warning("the spans of %s (run %s)%s are not sent: %s", *run, others, why)
        self._next, self._others, self._last = time.monotonic() + REPORT_SECONDS, 0, None
