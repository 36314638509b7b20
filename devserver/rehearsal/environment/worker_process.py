"""The process of a runbook's worker as the rehearsal sees it: start it, kill it, freeze it, answer its questions."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from ...system.child_process import ChildProcess
from ..errors import WorkerFailed
from .asyncio_compat import within
from .worker_forkserver import WorkerForkServer

READY_SECONDS = 30.0
STOP_SECONDS = 5.0

Answer = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]


class RehearsalWorker:
    """One process of the worker.

    Attributes:
        exited: Set once it has exited.
    """

    def __init__(self, fork_server: WorkerForkServer, options: Mapping[str, Any], log: Path, answer: Answer) -> None:
        """`answer` is asked what happens to each attempt of an activity; `options` are those of `worker_main.py`."""
        self._fork_server = fork_server
        self._options = options
        self._log = log
        self._answer = answer
        self._child: ChildProcess | None = None
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._replies: set[asyncio.Task[None]] = set()
        self.exited = asyncio.Event()

    @property
    def pid(self) -> int:
        """Its process id; 0 before it is started."""
        return self._child.pid if self._child is not None else 0

    @property
    def stopping(self) -> bool:
        """Whether the rehearsal ends it."""
        return self._child is not None and self._child.stopping

    async def start(self) -> None:
        """Start it, and wait until it polls.

        Raises:
            WorkerFailed: It does not start; the details are the last lines of its log.
        """
        ours, theirs = socket.socketpair()
        try:
            with theirs, self._log.open("ab") as log:
                pid = await self._fork_server.fork((theirs.fileno(), log.fileno()))
        except BaseException:  # also when cancelled: nobody must wait for what was never started
            ours.close()
            self.exited.set()
            raise
        self._child = await ChildProcess.attach(pid, ours, on_message=self._handle, on_exit=self._handle_exit)
        self._child.send("start", options=self._options)
        try:
            await within(READY_SECONDS, asyncio.shield(self._ready))
        except asyncio.TimeoutError:
            await self.kill()
            reason = f"the runbook's worker is not ready after {READY_SECONDS:g} s"
            raise WorkerFailed(reason, details=self.tail()) from None

    def tail(self, lines: int = 12) -> list[str]:
        """The last lines of its log."""
        return self._log.read_text(errors="replace").splitlines()[-lines:]

    async def kill(self) -> None:
        """Kill it, as a crash would, and wait until it has exited."""
        if self._child is not None:
            await self._child.kill()

    def freeze(self) -> None:
        """Stop every thread of it until `thaw`."""
        if self._child is not None:
            self._child.freeze()

    def thaw(self) -> None:
        """Let it run again."""
        if self._child is not None:
            self._child.signal(signal.SIGCONT)

    async def stop(self) -> None:
        """Shut the worker down gracefully; its process is killed after a few seconds."""
        if self._child is not None:
            await self._child.stop(STOP_SECONDS)

    def _handle(self, message: dict[str, Any]) -> None:
        kind = message.pop("kind")
        if kind == "ready":
            self._ready.set_result(None)
        elif kind == "failed":
            self._fail(f"the runbook's worker does not start: {message['error']}")
        else:
            task = asyncio.create_task(self._reply(message))
            self._replies.add(task)
            task.add_done_callback(self._replies.discard)

    def _handle_exit(self) -> None:
        self._fail("the runbook's worker ended before it was ready")
        self.exited.set()

    def _fail(self, reason: str) -> None:
        if not self._ready.done():
            self._ready.set_exception(WorkerFailed(reason, details=self.tail()))
            self._ready.exception()  # retrieved, where nobody waits for it

    async def _reply(self, question: dict[str, Any]) -> None:
        answer = await self._answer(question)
        if self._child is not None:
            self._child.send("answer", number=question["number"], **answer)
