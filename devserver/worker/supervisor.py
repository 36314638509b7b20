"""Keeps a worker running: replaces it when its code changes, restarts it when it dies, ends it when asked to stop.

The new worker is made before the old one stops, and polls once the old one has completed its last workflow task. If the
new code does not load, the old worker keeps running, and there are never two workers that poll.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..errors import CannotAsk, DevServerError
from ..introspection.import_module import RUNS_ON_IMPORT
from ..system.child_process import wait_any
from .config import WorkerOptions
from .events import FORWARDED, IMPORTS, EventReporter, WorkerEvent, WorkerEventKind, relative
from .metrics_proxy import MetricsProxy
from .process_pool import LATE_SECONDS, ProcessPool, back_off
from .source_changes import SourceChanges
from .worker_process import WorkerProcess

STABLE_SECONDS = 30.0  # a worker that ran this long started well: the wait before its restart is the first again
RETRY_SECONDS = 2.0


class WorkerSupervisor:
    """Runs one worker until `stop`.

    Args:
        options: The worker.
        on_event: Called with every event.
        reload: Whether to replace the worker when a file changes.
        metrics_port: The port on loopback that serves the metrics of whichever process runs (0: any free port,
            None: no metrics).
        quiet: Whether what the user's code prints goes to stderr.
    """

    def __init__(
        self,
        options: WorkerOptions,
        on_event: Callable[[WorkerEvent], None],
        *,
        reload: bool,
        metrics_port: int | None = None,
        quiet: bool = False,
    ) -> None:
        self._options = options
        self._report = EventReporter(on_event, self.stop)
        self._reload = reload
        self._metrics = None if metrics_port is None else MetricsProxy(metrics_port, self._current_metrics_port)
        stdout = sys.stderr.fileno() if quiet else None
        self._pool = ProcessPool(options, self._handle, metrics=metrics_port is not None, stdout=stdout)
        self._current: WorkerProcess | None = None
        self._changed: set[str] = set()
        self._exited: list[WorkerProcess] = []
        self._wake = asyncio.Event()
        self._changes = SourceChanges(self._handle_changes)
        self._restarts = 0
        self._running_since = 0.0
        self._stopping = False

    async def run(self) -> None:
        """Start the worker and keep it running until `stop`.

        Raises:
            DevServerError: The first worker does not start; without `reload`, any.
        """
        self._task = asyncio.current_task()
        try:
            if self._metrics is not None:
                await self._metrics.start()
            await self._run(await self._pool.prepare(self._report_late, self._report_start_killed), "running")
            while True:
                await self._wake.wait()
                self._wake.clear()
                await self._react()
        except asyncio.CancelledError:
            if not self._stopping:
                raise
        finally:
            await self._close()
        if self._report.failure is not None:
            raise self._report.failure

    def stop(self) -> None:
        """End the worker gracefully; the second call kills it."""
        if self._stopping:
            self._pool.request_kill()
        elif self._task is not None:
            self._stopping = True
            self._task.cancel()

    async def _react(self) -> None:
        while self._changed or self._exited:
            if self._changed:
                await self._replace()
            elif self._exited.pop() is self._current:
                await self._restart()

    async def _replace(self) -> None:
        changed, self._changed = sorted(self._changed), set()
        self._report("changed", files=[relative(path) for path in changed])
        process = await self._make()
        if process is None:
            return
        old, self._current = self._current, None
        if old is not None and not old.exited.is_set():
            await self._pool.drain(old)
            if old.activities is None and old.killed:
                self._report_killed(old)
            else:
                self._pool.retire(old, self._report_killed)
        await self._run(process, "replaced")

    async def _restart(self) -> None:
        dead, self._current = self._current, None
        assert dead is not None  # noqa: S101 - it has just exited
        self._restarts = 0 if time.monotonic() - self._running_since > STABLE_SECONDS else self._restarts + 1
        if self._changes.any_file:
            self._report("died", reason=dead.end_reason, restart_in=None)
            return
        wait = back_off(max(0, self._restarts - 1))
        self._report("died", reason=dead.end_reason, restart_in=wait)
        if not self._changed:
            self._wake.clear()
        await wait_any(self._wake.wait(), limit=wait)  # a change is worth a try at once
        self._changed.clear()
        process = await self._make()
        if process is not None:
            await self._run(process, "running")

    async def _make(self) -> WorkerProcess | None:
        """A prepared worker of the current code; None if it does not load, or if the code changes again meanwhile.

        Code that hangs on import is never ready, so changes are watched for at the same time.
        """
        making = asyncio.create_task(self._make_once_answered())
        try:
            while not making.done():
                waking = asyncio.create_task(self._wake.wait())
                await asyncio.wait((making, waking), return_when=asyncio.FIRST_COMPLETED)
                waking.cancel()
                if self._changed and not making.done():
                    return None
                self._wake.clear()
            return making.result()
        finally:
            making.cancel()
            await asyncio.gather(making, return_exceptions=True)

    async def _make_once_answered(self) -> WorkerProcess | None:
        """A prepared worker, once the server answers; None if the code does not load, which is reported."""
        reported = False
        while True:
            try:
                process = await self._pool.prepare(self._report_late, self._report_start_killed)
            except CannotAsk as error:
                if not reported:
                    self._report("server_gone", message=error.message)
                reported = True
                await asyncio.sleep(RETRY_SECONDS)
            except DevServerError as error:
                if not self._reload:
                    raise
                self._report(
                    "broken",
                    error=type(error).__name__,
                    message=error.message,
                    details=list(error.details),
                    hint=error.hint,
                    old_code_runs=self._current is not None,
                )
                self._changes.any_file = True
                known = self._current.files if self._current else []
                failed = self._pool.latest
                await self._changes.watch([*known, *failed.files], failed.since)
                return None
            else:
                self._changes.any_file = False
                return process

    async def _run(self, process: WorkerProcess, kind: WorkerEventKind) -> None:
        self._current = process
        await process.run()
        self._running_since = time.monotonic()
        if process.exited.is_set():
            if process.failure is not None and not self._reload:
                raise process.failure
            return  # killed before it could poll: it is restarted
        metrics = f"http://127.0.0.1:{self._metrics.port}/metrics" if self._metrics else None
        self._report(kind, **process.facts, metrics_url=metrics, reload=self._reload)
        if self._reload:
            await self._changes.watch(process.files, process.since, process.package_folders)
            self._pool.preload()

    async def _close(self) -> None:
        """End every process; the current one gracefully."""
        await self._changes.close()
        if self._current is not None and not self._current.exited.is_set():
            self._report("stopping", grace=self._options.grace)
            self._current.stop()
        await self._pool.close()
        if self._metrics is not None:
            await self._metrics.close()

    def _current_metrics_port(self) -> int | None:
        return self._current.metrics_port if self._current is not None else None

    # Events

    def _handle(self, process: WorkerProcess, kind: str, facts: Mapping[str, Any]) -> None:
        if kind == "exited":
            self._pool.discard(process)
            self._exited.append(process)
            self._wake.set()
        elif kind == "drained" and facts["activities"]:
            self._report("draining", activities=facts["activities"], grace=self._options.grace)
        elif kind == "files" and process is self._current and self._reload:
            watching = self._changes.watch(process.files, process.since, process.package_folders)
            self._watching = asyncio.create_task(watching)
        else:
            for forwarded in FORWARDED:
                if kind == forwarded:
                    self._report(forwarded, **facts)

    def _handle_changes(self, paths: Sequence[str]) -> None:
        self._changed.update(paths)
        self._wake.set()

    def _report_late(self) -> None:
        phase = self._pool.latest.phase
        hint = RUNS_ON_IMPORT if phase == IMPORTS else None
        self._report("not_ready", module=self._options.spec, seconds=LATE_SECONDS, phase=phase, hint=hint)

    def _report_start_killed(self, reason: str, wait: float) -> None:
        self._report("died", reason=f"{reason} while it started", restart_in=wait)

    def _report_killed(self, process: WorkerProcess) -> None:
        if not self._stopping:
            self._report("grace_over", activities=process.activities)
