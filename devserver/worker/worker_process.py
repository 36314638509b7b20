"""The keeper's side of one worker process: started, prepared, let go, drained, ended."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..errors import DevServerError
from ..system.ports import Reservation
from .config import WorkerOptions
from .errors import WorkerEnded

MOST_LINE = 2**24  # bytes
LAST_WORDS_SECONDS = 1.0
SPARE_SECONDS = 5.0  # beyond the grace that activities have

Hear = Callable[["WorkerProcess", str, Mapping[str, Any]], None]


class WorkerProcess:
    """One process. `hear` is told what it says, and `gone` at its end.

    `facts` are what it has found, once it is prepared; `failure` is why it ended, if it said so. `files` are those of
    the user's that it has imported, none before `since` (seconds since the epoch).
    """

    def __init__(self, hear: Hear) -> None:
        self._hear = hear
        self._prepared: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()
        self._running = asyncio.Event()
        self._drained = asyncio.Event()
        self._metrics: Reservation | None = None
        self.gone = asyncio.Event()
        self.facts: Mapping[str, Any] = {}
        self.failure: DevServerError | None = None
        self.code: int | None = None
        self.stopping = False
        self.files: list[str] = []
        self.since = 0.0

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def packages(self) -> set[str]:
        """The folders of the package that it was asked for, if it is one: a new file in them is new code."""
        top = Path(str(self.facts.get("file")))
        below = f"{top.resolve().parent}{os.sep}"
        within = [each for each in self.files if each.startswith(below)]
        return {str(Path(each).parent) for each in within} if top.name == "__init__.py" else set()

    @property
    def metrics_port(self) -> int | None:
        """Where it serves Prometheus, if it was asked to."""
        return self._metrics.port if self._metrics else None

    async def start(self, *, stdout: int | None = None) -> None:
        """Start it; it loads the SDK and waits. What the user's code prints goes to `stdout`, ours if None."""
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                f"{__package__}.worker_main",
                str(theirs.fileno()),
                str(os.getpid()),
                pass_fds=(theirs.fileno(),),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=stdout,
                start_new_session=True,  # Ctrl-C is the keeper's to handle
            )
        reader, self._writer = await asyncio.open_connection(sock=ours, limit=MOST_LINE)
        self._listening = asyncio.create_task(self._listen(reader))

    async def prepare(self, wanted: WorkerOptions, *, metrics: bool) -> Mapping[str, Any]:
        """Have it import the module, connect, and make the worker; what it has found.

        Raises:
            DevServerError: It could not, and has ended.
        """
        data = wanted.to_json()
        if metrics:
            self._metrics = Reservation("127.0.0.1", 0)
            data["metrics_port"] = self._metrics.port
        self._say(wanted=data)
        self.facts = await self._prepared
        return self.facts

    async def go(self) -> None:
        """Let its worker begin, and wait until it does (or is gone)."""
        self._say(go=True)
        await _first(self._running.wait(), self.gone.wait())

    async def drain(self, limit: float) -> None:
        """Have it stop, and wait until it answers no workflow task any more; activities may go on for their grace.

        After `limit` seconds it is killed.
        """
        self.stop()
        await _first(self._drained.wait(), self.gone.wait(), limit=limit)
        if not self._drained.is_set():
            await self.kill()

    def stop(self) -> None:
        """Have it stop when its activities are done, or have had their grace."""
        self.stopping = True
        self._say(stop=True)

    async def ended(self, limit: float) -> bool:
        """Wait until it is gone; whether it went by itself, and had not to be killed after `limit` seconds."""
        await _first(self.gone.wait(), limit=limit)
        if self.gone.is_set():
            return True
        await self.kill()
        return False

    async def kill(self) -> None:
        """End it at once."""
        self.kill_now()
        await self.gone.wait()

    def kill_now(self) -> None:
        """The same, without waiting."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    @property
    def end(self) -> str:
        """How it ended, in words."""
        if self.failure is not None:
            return self.failure.message
        if self.code is not None and self.code < 0:
            return f"killed by {signal.Signals(-self.code).name}"
        return f"exit code {self.code}"

    def _say(self, **order: Any) -> None:
        with contextlib.suppress(OSError):
            self._writer.write(json.dumps(order).encode() + b"\n")

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        reading = asyncio.create_task(self._read(reader))
        self.code = await self._process.wait()
        await _first(reading, limit=LAST_WORDS_SECONDS)  # a process that it has forked may keep the line open
        self._writer.close()
        if not self._prepared.done():
            ended = WorkerEnded(f"the worker's process ended before it was ready: {self.end}")
            self._prepared.set_exception(self.failure or ended)
            self._prepared.exception()  # seen, where nobody waits for it
        if self._metrics is not None:
            self._metrics.release()
        self.gone.set()
        self._hear(self, "gone", {})

    async def _read(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError):
            async for line in reader:
                message = json.loads(line)
                self._heard(message.pop("kind"), message)

    def _heard(self, kind: str, facts: dict[str, Any]) -> None:
        if "files" in facts:
            self.files, self.since = facts.pop("files"), facts.pop("since")
        if kind == "prepared" and not self._prepared.done():  # nobody may wait for it any more
            self._prepared.set_result(facts)
        elif kind == "failed":
            self.failure = DevServerError.from_json(facts["error"])
            self.failure.exit_code = facts["exit_code"]
        elif kind == "running":
            self._running.set()
        elif kind == "drained":
            self._drained.set()
        self._hear(self, kind, facts)


async def _first(*waits: Any, limit: float | None = None) -> None:
    """Wait for the first of these, at most `limit` seconds."""
    tasks = [asyncio.ensure_future(each) for each in waits]
    try:
        await asyncio.wait(tasks, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in tasks:
            each.cancel()
