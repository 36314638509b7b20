"""The server and the worker of a run: their logs, and an end that nobody has planned."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from ..environment.history_watcher import log_lines
from ..environment.run_context import RunContext
from ..scenario.result import Judgement

LOG_LINES = 20_000
LOOK_SECONDS = 0.05


class ProcessWatch:
    """Watches the processes of a run.

    Args:
        context: The run.
        on_line: Called with each line of the server's log.

    Attributes:
        server_log: The lines of the server's log so far, up to LOG_LINES.
    """

    def __init__(self, context: RunContext, on_line: Callable[[str], Awaitable[None]]) -> None:
        self._context = context
        self._on_line = on_line
        self._died: list[str] | None = None
        self.server_log: list[str] = []

    async def read_log(self) -> None:
        """Read the server's log until this is cancelled."""
        async for line in log_lines(self._context.environment.log):
            if len(self.server_log) < LOG_LINES:
                self.server_log.append(line)
            await self._on_line(line)

    async def until_worker_dies(self) -> None:
        """Return when the worker has ended by itself."""
        while True:
            worker = self._context.worker
            if worker is not None and worker.exited.is_set() and not worker.stopping:
                self._died = "\n".join(worker.tail()).splitlines()
                self._context.down("worker", ended="by itself")
                self._context.worker = None
                return
            await asyncio.sleep(LOOK_SECONDS)

    async def check_server(self) -> None:
        """If the server has ended, the run has failed; it is started again, to read the run from it."""
        context = self._context
        if context.environment.server.running:
            return
        log = self.server_log[-12:]
        context.judgements.append(Judgement("the server keeps running", "fail", "it ended by itself", log))
        context.down("server", ended="by itself")
        await context.start_server()

    def judgements(self) -> list[Judgement]:
        """The failure of a worker that has ended by itself."""
        if self._died is None:
            return []
        return [Judgement("the worker keeps running", "fail", "it ended by itself", self._died)]

    def worker_log(self) -> list[str]:
        """The last lines of the worker's log."""
        log = self._context.worker_log
        return log.read_text(errors="replace").splitlines()[-LOG_LINES:] if log.exists() else []
