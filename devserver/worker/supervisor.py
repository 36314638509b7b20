"""Keeps a worker running: replaces it when its code has changed, starts it again when it dies, ends it when told to.

The new worker is made before the old one stops, and begins when the old one has given its last answer to a workflow:
if the new code does not even load, the old goes on, and there are never two that answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import CannotAsk, DevServerError
from ..introspection.import_module import RUNS_ON_IMPORT
from ..system.ports import taken
from .config import WorkerOptions
from .events import WorkerEvent, WorkerEventKind
from .metrics_proxy import MetricsProxy
from .source_changes import SourceChanges
from .worker_process import SPARE_SECONDS, WorkerProcess

WELL_SECONDS = 30.0  # a worker that lives so long was started well: the next death is the first again
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
ASK_AGAIN_SECONDS = 2.0
LATE_SECONDS = 10.0  # a module that takes longer to import may never end
# What a worker says that goes on to whoever listens.
PASSED_ON: tuple[WorkerEventKind, ...] = (
    "server_gone",
    "server_back",
    "workflow_task_failed",
    "nondeterminism",
    "workflow_failed",
    "activity_failed",
    "sdk_error",
)


class WorkerSupervisor:
    """Keeps one worker. `tell` hears every event; `reload` replaces the worker when a file changes.

    `metrics_port` is where the metrics of whichever process runs are served (0: any free port, None: nowhere).
    What the user's code prints goes to stderr if `quiet`.
    """

    def __init__(
        self,
        wanted: WorkerOptions,
        tell: Callable[[WorkerEvent], None],
        *,
        reload: bool,
        metrics_port: int | None = None,
        quiet: bool = False,
    ) -> None:
        self._wanted = wanted
        self._listener = tell
        self._reload = reload
        self._stdout = sys.stderr.fileno() if quiet else None
        self._relay = None if metrics_port is None else MetricsProxy(metrics_port, self._metrics_of_current)
        self._all: set[WorkerProcess] = set()
        self._current: WorkerProcess | None = None
        self._spare: asyncio.Task[WorkerProcess] | None = None
        self._lingering: set[asyncio.Task[None]] = set()
        self._changed: set[str] = set()
        self._deaths: list[WorkerProcess] = []
        self._happened = asyncio.Event()
        self._changes = SourceChanges(self._heard_changes)
        self._in_a_row = 0
        self._began = 0.0
        self._stopping = False
        self._failure: BaseException | None = None

    async def run(self) -> None:
        """Start the worker and keep it until `stop`.

        Raises:
            DevServerError: The first worker cannot be started; without `reload`, any.
        """
        self._task = asyncio.current_task()
        try:
            await self._listen_for_metrics()
            await self._begin(await self._prepared(), "running")
            while True:
                await self._happened.wait()
                self._happened.clear()
                await self._go_on()
        except asyncio.CancelledError:
            if not self._stopping:
                raise
        finally:
            await self._end()
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """End the worker gracefully; called again: at once."""
        if self._stopping:
            for each in self._all:
                each.kill_now()
        elif self._task is not None:
            self._stopping = True
            self._task.cancel()

    # What happens

    async def _go_on(self) -> None:
        while self._changed or self._deaths:
            if self._changed:
                await self._replace()
            elif self._deaths.pop() is self._current:
                await self._revive()

    async def _replace(self) -> None:
        changed, self._changed = sorted(self._changed), set()
        self._tell("changed", files=[_short(each) for each in changed])
        fresh = await self._made()
        if fresh is None:
            return
        old, self._current = self._current, None
        if old is not None and not old.gone.is_set():
            await old.drain(self._wanted.grace + SPARE_SECONDS)
            self._linger(old)
        await self._begin(fresh, "replaced")

    async def _revive(self) -> None:
        dead, self._current = self._current, None
        assert dead is not None  # noqa: S101 - it has just died
        self._in_a_row = 0 if time.monotonic() - self._began > WELL_SECONDS else self._in_a_row + 1
        if self._changes.anything:
            self._tell("died", how=dead.end, again_in=None)
            return
        wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** max(0, self._in_a_row - 1))
        self._tell("died", how=dead.end, again_in=wait)
        if not self._changed:
            self._happened.clear()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._happened.wait(), wait)  # a change is worth a try at once
        self._changed.clear()
        fresh = await self._made()
        if fresh is not None:
            await self._begin(fresh, "running")

    async def _made(self) -> WorkerProcess | None:
        """A worker of the code as it is now; None if there can be none, which is told, or if the code changes again.

        Code that hangs when it is imported is never ready: the change that mends it has to be seen.
        """
        making = asyncio.create_task(self._tried_code())
        try:
            while not making.done():
                happened = asyncio.create_task(self._happened.wait())
                await asyncio.wait((making, happened), return_when=asyncio.FIRST_COMPLETED)
                happened.cancel()
                if self._changed and not making.done():
                    return None
                self._happened.clear()
            return making.result()
        finally:
            making.cancel()
            await asyncio.gather(making, return_exceptions=True)

    async def _tried_code(self) -> WorkerProcess | None:
        """A worker of the code as it is now; None if there can be none: that is told."""
        told = False
        while True:
            try:
                fresh = await self._prepared()
            except CannotAsk as error:
                if not told:
                    self._tell("server_gone", message=error.message)
                told = True
                await asyncio.sleep(ASK_AGAIN_SECONDS)
            except DevServerError as error:
                if not self._reload:
                    raise
                self._tell("broken", **error.to_json(), goes_on=self._current is not None)
                self._changes.anything = True
                known = self._current.files if self._current else []
                await self._changes.watch([*known, *self._tried.files], self._tried.since)
                return None
            else:
                self._changes.anything = False
                return fresh

    async def _begin(self, fresh: WorkerProcess, kind: WorkerEventKind) -> None:
        self._current = fresh
        await fresh.go()
        self._began = time.monotonic()
        metrics = f"http://127.0.0.1:{self._relay.port}/metrics" if self._relay else None
        self._tell(kind, **fresh.facts, metrics_url=metrics, reload=self._reload)
        if self._reload:
            await self._changes.watch(fresh.files, fresh.since, fresh.packages)
            self._spare = self._spare or asyncio.create_task(self._started())

    # Processes

    async def _prepared(self) -> WorkerProcess:
        """A process that is ready to go."""
        waiting, self._spare = self._spare, None
        process = await (waiting or self._started())
        if process.gone.is_set():
            process = await self._started()
        self._tried = process
        late = asyncio.get_running_loop().call_later(LATE_SECONDS, self._tell_late)
        try:
            await process.prepare(self._wanted, metrics=self._relay is not None)
        except DevServerError:
            await process.gone.wait()
            raise
        except asyncio.CancelledError:
            process.kill_now()
            raise
        finally:
            late.cancel()
        return process

    async def _started(self) -> WorkerProcess:
        process = WorkerProcess(self._heard)
        await process.start(stdout=self._stdout)
        self._all.add(process)
        return process

    def _linger(self, old: WorkerProcess) -> None:
        """Let the activities of a worker that was replaced go on for their grace."""

        async def linger() -> None:
            if not await old.ended(self._wanted.grace + SPARE_SECONDS) and not self._stopping:
                self._tell("cut")

        task = asyncio.create_task(linger())
        self._lingering.add(task)
        task.add_done_callback(self._lingering.discard)

    async def _end(self) -> None:
        """End every process, gracefully those that work."""
        await self._changes.close()
        if self._current is not None and not self._current.gone.is_set():
            self._tell("stopping", grace=self._wanted.grace)
            self._current.stop()
        if self._spare is not None:
            await asyncio.gather(self._spare, return_exceptions=True)
        limit = self._wanted.grace + SPARE_SECONDS
        working = [each for each in self._all if each is self._current or each.stopping]
        await asyncio.gather(*(each.ended(limit) if each in working else each.kill() for each in list(self._all)))
        await asyncio.gather(*self._lingering, return_exceptions=True)
        if self._relay is not None:
            await self._relay.close()

    # What is heard and told

    def _heard(self, process: WorkerProcess, kind: str, facts: Mapping[str, Any]) -> None:
        if kind == "gone":
            self._all.discard(process)
            self._deaths.append(process)
            self._happened.set()
        elif kind == "drained" and facts["activities"]:
            self._tell("draining", activities=facts["activities"], grace=self._wanted.grace)
        elif kind == "files" and process is self._current and self._reload:
            self._watching = asyncio.create_task(self._changes.watch(process.files, process.since, process.packages))
        else:
            for each in PASSED_ON:
                if kind == each:
                    self._tell(each, **facts)

    def _heard_changes(self, paths: Sequence[str]) -> None:
        self._changed.update(paths)
        self._happened.set()

    def _tell_late(self) -> None:
        self._tell("not_ready", module=self._wanted.spec, seconds=LATE_SECONDS, hint=RUNS_ON_IMPORT)

    def _tell(self, kind: WorkerEventKind, **facts: Any) -> None:
        try:
            self._listener(WorkerEvent(kind, facts))
        except Exception as error:  # noqa: BLE001 - as when whoever reads our lines has left: raised when all has ended
            if self._failure is None:
                self._failure = error
                self.stop()

    async def _listen_for_metrics(self) -> None:
        if self._relay is None:
            return
        try:
            await self._relay.start()
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise taken("127.0.0.1", self._relay.port, "--metrics-port", reason) from None

    def _metrics_of_current(self) -> int | None:
        return self._current.metrics_port if self._current is not None else None


def _short(path: str) -> str:
    """A path as the user would name it."""
    with contextlib.suppress(ValueError):
        return str(Path(path).relative_to(Path.cwd()))
    return path
