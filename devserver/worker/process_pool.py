"""The worker processes of one supervisor: preloaded for the next worker, running, or finishing their activities."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable

from ..errors import DevServerError
from .config import WorkerOptions
from .errors import WorkerKilled
from .worker_process import SPARE_SECONDS, OnEvent, WorkerProcess

LATE_SECONDS = 10.0  # a module that takes longer to import may never end
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.5, 30.0

OnKilled = Callable[[str, float], None]


def back_off(restarts: int) -> float:
    """The seconds to wait before a worker is started again, after `restarts` restarts in a row."""
    return min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2.0 ** min(restarts, 10))


class ProcessPool:
    """Makes worker processes with the same options, and ends them.

    Attributes:
        latest: The process that was prepared last, also where that failed.
    """

    latest: WorkerProcess

    def __init__(self, options: WorkerOptions, on_event: OnEvent, *, metrics: bool, stdout: int | None) -> None:
        self._options = options
        self._on_event = on_event
        self._metrics = metrics
        self._stdout = stdout
        self._limit = options.grace + SPARE_SECONDS
        self._processes: set[WorkerProcess] = set()
        self._preloaded: asyncio.Task[WorkerProcess] | None = None
        self._retiring: set[asyncio.Task[None]] = set()

    def preload(self) -> None:
        """Start a process that loads the SDK and waits, unless there is one."""
        self._preloaded = self._preloaded or asyncio.create_task(self._start())

    async def prepare(self, on_late: Callable[[], None], on_killed: OnKilled) -> WorkerProcess:
        """A process with a worker that is ready to run; another one with back-off while it is killed from outside.

        Args:
            on_late: Called if a process takes long.
            on_killed: Called when one was killed, with how it ended and the seconds before the next.

        Raises:
            DevServerError: The worker cannot be made.
        """
        for killed in itertools.count():
            try:
                return await self._prepare(on_late)
            except WorkerKilled:
                wait = back_off(killed)
                on_killed(self.latest.end_reason, wait)
                await asyncio.sleep(wait)
        raise AssertionError

    async def _prepare(self, on_late: Callable[[], None]) -> WorkerProcess:
        preloaded, self._preloaded = self._preloaded, None
        process = await (preloaded or self._start())
        if process.exited.is_set():
            process = await self._start()
        self.latest = process
        late = asyncio.get_running_loop().call_later(LATE_SECONDS, on_late)
        try:
            await process.prepare(self._options, metrics=self._metrics)
        except DevServerError:
            await process.exited.wait()
            raise
        except asyncio.CancelledError:
            process.request_kill()
            raise
        finally:
            late.cancel()
        return process

    async def drain(self, process: WorkerProcess) -> None:
        """Stop a worker, and wait until its last workflow task is completed."""
        await process.drain(self._limit)

    def retire(self, process: WorkerProcess, on_killed: Callable[[WorkerProcess], None]) -> None:
        """Let the activities of a drained worker finish; `on_killed` is called if they do not in time."""

        async def finish() -> None:
            if not await process.wait(self._limit):
                on_killed(process)

        task = asyncio.create_task(finish())
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)

    def discard(self, process: WorkerProcess) -> None:
        """Forget a process that has exited."""
        self._processes.discard(process)

    def request_kill(self) -> None:
        """Kill every process, without waiting."""
        for process in self._processes:
            process.request_kill()

    async def close(self) -> None:
        """End every process: those that were asked to stop within the limit, the others at once."""
        if self._preloaded is not None:
            await asyncio.gather(self._preloaded, return_exceptions=True)
        processes = list(self._processes)
        await asyncio.gather(*(item.wait(self._limit) if item.stopping else item.kill() for item in processes))
        await asyncio.gather(*self._retiring, return_exceptions=True)

    async def _start(self) -> WorkerProcess:
        process = WorkerProcess(self._on_event)
        await process.start(stdout=self._stdout)
        self._processes.add(process)
        return process
