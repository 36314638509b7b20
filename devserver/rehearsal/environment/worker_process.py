"""The rehearsal's side of the runbook's worker process: starting, killing, freezing, and answering it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from ...system.process import Identity
from ..errors import WorkerFailed
from .asyncio_compat import within
from .worker_forkserver import Nest

READY_SECONDS = 30.0
END_SECONDS = 5.0

Answer = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]


class WorkerProcess:
    """One process of the worker. `answer` is asked how each activity goes on."""

    def __init__(self, nest: Nest, wanted: Mapping[str, Any], log: Path, answer: Answer) -> None:
        self._nest = nest
        self.pid = 0
        self._wanted = wanted
        self._log = log
        self._answer = answer
        self._identity: Identity | None = None
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._answering: set[asyncio.Task[None]] = set()
        self.gone = asyncio.Event()
        self.expected = False  # whether it is we who end it

    async def start(self) -> None:
        """Start it, and wait until it polls.

        Raises:
            WorkerFailed: It did not; the details hold why, and its last lines.
        """
        ours, theirs = socket.socketpair()
        lifeline, self._lifeline = os.pipe()
        try:
            with theirs, self._log.open("ab") as log:
                self.pid = await self._nest.fork((theirs.fileno(), lifeline, log.fileno()))
        except BaseException:  # cancelled: whoever ends it must not wait for what never began
            ours.close()
            os.close(self._lifeline)
            self.gone.set()
            raise
        finally:
            os.close(lifeline)
        self._identity = Identity.of(self.pid)
        reader, self._writer = await asyncio.open_connection(sock=ours)
        self._say(self._wanted)
        self._listening = asyncio.create_task(self._listen(reader))
        try:
            await within(READY_SECONDS, asyncio.shield(self._ready))
        except asyncio.TimeoutError:
            await self.kill()
            raise WorkerFailed("the runbook's worker is not ready after 30 s", details=self.tail()) from None

    def tail(self, lines: int = 12) -> list[str]:
        """The last lines of its log."""
        return self._log.read_text(errors="replace").splitlines()[-lines:]

    # What can be done to it

    async def kill(self) -> None:
        """End it at once, as a crash would."""
        self.expected = True
        self._signal(signal.SIGKILL)
        await self._reaped()

    def freeze(self) -> None:
        """Keep it from running until `thaw`."""
        if self._identity is not None:
            self._identity.freeze()

    def thaw(self) -> None:
        """Let it run again."""
        self._signal(signal.SIGCONT)

    async def end(self) -> None:
        """Let it end gracefully, within a limit."""
        self.expected = True
        self.thaw()
        with contextlib.suppress(OSError):
            self._say({"end": "gracefully"})
        with contextlib.suppress(asyncio.TimeoutError):
            await within(END_SECONDS, self.gone.wait())
        await self.kill()

    def _signal(self, number: int) -> None:
        if self._identity is not None:
            self._identity.signal(number)

    async def _reaped(self) -> None:
        await self.gone.wait()
        while self._identity is not None and self._identity.alive():
            await asyncio.sleep(0.002)

    # What it says

    def _say(self, message: Mapping[str, Any]) -> None:
        self._writer.write(json.dumps(message, default=str).encode() + b"\n")

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError):
            async for line in reader:
                self._heard(json.loads(line))
        self._writer.close()
        with contextlib.suppress(OSError):
            os.close(self._lifeline)
        if not self._ready.done():
            self._ready.set_exception(
                WorkerFailed("the runbook's worker ended before it was ready", details=self.tail())
            )
            self._ready.exception()  # seen, where nobody waits any more
        self.gone.set()

    def _heard(self, message: dict[str, Any]) -> None:
        if message["kind"] == "ready":
            self._ready.set_result(None)
        elif message["kind"] == "error":
            if not self._ready.done():
                failure = f"the runbook's worker does not start: {message['error']}"
                self._ready.set_exception(WorkerFailed(failure, details=self.tail()))
        else:
            task = asyncio.create_task(self._reply(message))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)

    async def _reply(self, question: dict[str, Any]) -> None:
        answer = await self._answer(question)
        with contextlib.suppress(OSError):
            self._say({"number": question["number"], **answer})
