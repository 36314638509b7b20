"""Sends the spans of runs that have ended, beside a worker's work, and finds those that ended without its code."""

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
from ..client.list_filters import quote
from ..errors import DevServerError
from .errors import ExportFailed
from .histories import spans_of_run
from .otlp import send

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

SCAN_SECONDS = 30.0
TELL_SECONDS = 10.0
AT_ONCE = 4
MOST_AT_ONCE = 10_000
MOST_KNOWN = 100_000
TRY_SECONDS = 3600.0  # what a collector does not take is tried again for so long
OVERLAP = timedelta(seconds=10)  # visibility may lag behind the server's clock
log = logging.getLogger("devserver.otel")

RunIds = tuple[str, str]


class Sending:
    """One worker's: each run that has ended is sent in a task of its own, a few at a time."""

    def __init__(self, worker: Worker, exporter: SpanExporter, where: str) -> None:
        self._calls = ServiceCalls(worker.client)
        self._queue = worker.task_queue
        self._exporter = exporter
        self._where = where
        self._loop = asyncio.get_running_loop()
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._worker_is_gone = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._known: dict[RunIds, None] = {}
        self._refused: dict[RunIds, float] = {}  # since when
        self._unsent = _Unsent()

    def ended(self, workflow_id: str, run_id: str) -> None:
        """A run has ended, or may have: its worker has said so to the server. From any thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: the worker was left behind
            self._loop.call_soon_threadsafe(self._begin, (workflow_id, run_id), True)

    def _begin(self, run: RunIds, wait: bool = False) -> None:
        if run in self._known:
            return
        if len(self._tasks) >= MOST_AT_ONCE:
            self._unsent.note(run, f"more than {MOST_AT_ONCE:,} runs wait")
            return
        self._known[run] = None
        while len(self._known) > MOST_KNOWN:
            del self._known[next(iter(self._known))]
        task = asyncio.ensure_future(self._send(run, wait))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send(self, run: RunIds, wait: bool) -> None:
        try:
            if wait and not await self._has_closed(run):
                self._known.pop(run, None)  # it goes on: its last task was lost, has failed, or was an eviction
                return
            async with self._turns:
                await self._export(run)
        except ExportFailed as error:
            if len(self._refused) < MOST_AT_ONCE:
                self._refused[run] = time.monotonic()
            self._unsent.note(run, error)
        except DevServerError as error:
            self._unsent.note(run, error)
        except Exception:
            log.exception("the spans of %s (run %s) are not sent", *run)

    async def _export(self, run: RunIds) -> None:
        await send(spans_of_run(self._calls.client, *run), self._exporter, where=self._where)

    async def _try_again(self) -> None:
        """Send what the collector has refused, one by one, until it refuses again."""
        for run, since in list(self._refused.items()):
            try:
                await self._export(run)
            except ExportFailed as error:
                self._unsent.note(run, error)
                if time.monotonic() - since < TRY_SECONDS:
                    self._refused[run] = self._refused.pop(run)  # if it is this run's fault, the others are first
                    return
            except Exception as error:  # noqa: BLE001 - its history is gone meanwhile, or cannot be read
                self._unsent.note(run, error)
            del self._refused[run]

    async def _has_closed(self, run: RunIds) -> bool:
        execution = WorkflowExecution(workflow_id=run[0], run_id=run[1])
        if await self._unless_gone(self._calls.close_event(execution, wait=True)) is not None:
            return True
        if not self._worker_is_gone.is_set():
            return False
        described = await self._calls.describe_workflow(*run)  # what a worker that is gone has not ended, it never will
        return described is not None and described.workflow_execution_info.HasField("close_time")

    async def _unless_gone(self, asking: Coroutine[Any, Any, Any]) -> Any:
        """What it answers; None once the worker has ended."""
        asked = asyncio.ensure_future(asking)
        gone = asyncio.ensure_future(self._worker_is_gone.wait())
        try:
            await asyncio.wait((asked, gone), return_when=asyncio.FIRST_COMPLETED)
            return asked.result() if asked.done() else None
        finally:
            for each in (asked, gone):
                each.cancel()

    async def scan(self, catch_up: timedelta) -> None:
        """Find what ended without code of this worker: before it began, by termination, by a timeout. From time to
        time, try again what a collector has refused.
        """
        since = datetime.now(timezone.utc)
        if catch_up > timedelta(0):
            await self._find(f"ExecutionStatus != 'Running' AND CloseTime > '{_text(since - catch_up)}'")
        while True:
            await asyncio.sleep(SCAN_SECONDS)
            now = datetime.now(timezone.utc)
            ends = "ExecutionStatus IN ('Terminated', 'TimedOut', 'Canceled')"
            await self._find(f"{ends} AND CloseTime > '{_text(since - OVERLAP)}'")
            since = now
            await self._try_again()

    async def _find(self, query: str) -> None:
        try:
            async for info in self._calls.list_workflows(f"TaskQueue = {quote(self._queue)} AND {query}", MOST_AT_ONCE):
                self._begin((info.execution.workflow_id, info.execution.run_id))
        except DevServerError as error:
            log.warning("workflows that ended without this worker are not found: %s", error)
        except Exception:
            log.exception("workflows that ended without this worker are not found")

    async def finish(self, seconds: float) -> None:
        """The worker has ended: send what waits, within so many seconds."""
        self._worker_is_gone.set()
        await asyncio.sleep(0)  # what a workflow's thread has told last
        try:
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=seconds)
        finally:
            if self._tasks:
                log.warning("the spans of %s runs are not sent: the worker has ended", len(self._tasks))
            for task in self._tasks:
                task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._unsent.tell()


class _Unsent:
    """Tells which runs were not sent: the first at once, then at most a line in 10 s, however many they are."""

    def __init__(self) -> None:
        self._next = 0.0
        self._others = 0
        self._last: tuple[RunIds, object] | None = None

    def note(self, run: RunIds, why: object) -> None:
        """One more."""
        self._others += self._last is not None
        self._last = (run, why)
        if time.monotonic() >= self._next:
            self.tell()

    def tell(self) -> None:
        """Tell those that were not told yet."""
        if self._last is None:
            return
        run, why = self._last
        others = f", and of {self._others:,} other runs," if self._others else ""
        log.warning("the spans of %s (run %s)%s are not sent: %s", *run, others, why)
        self._next, self._others, self._last = time.monotonic() + TELL_SECONDS, 0, None


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
