"""One worker process as its supervisor sees it: start it, prepare the worker, run it, drain it, end it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..errors import DevServerError
from ..system.child_process import ChildProcess, wait_any
from ..system.ports import Reservation
from ..system.process import ProcessIdentity
from .config import WorkerOptions
from .errors import WorkerEnded, WorkerKilled
from .events import IS_STOPPED, LOADS

# A process that gets one of these has caused it itself.
CRASHES = tuple(
    getattr(signal, name) for name in ("SIGSEGV", "SIGABRT", "SIGBUS", "SIGILL", "SIGFPE") if hasattr(signal, name)
)
SPARE_SECONDS = 5.0  # beyond the graceful shutdown timeout of activities

OnEvent = Callable[["WorkerProcess", str, Mapping[str, Any]], None]


class WorkerProcess:
    """A process with one worker.

    Attributes:
        facts: What the worker has and where it polls, once it is prepared.
        failure: Why the process ended, if it said so.
        files: The user's files that it has imported (real paths).
        activities: How many activities ran when it had completed its last workflow task; None if it never did.
        killed: Whether it was killed because it did not complete its last workflow task in time.
        since: When it began to import them, in seconds since the epoch.
    """

    def __init__(self, on_event: OnEvent) -> None:
        """`on_event` gets the kind and the facts of each message, and `exited` at the end."""
        self._on_event = on_event
        self._prepared: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()
        self._running = asyncio.Event()
        self._drained = asyncio.Event()
        self._metrics: Reservation | None = None
        self.facts: Mapping[str, Any] = {}
        self.failure: DevServerError | None = None
        self.files: list[str] = []
        self.since = 0.0
        self.activities: int | None = None
        self.killed = False
        self._phase = LOADS

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._child.pid

    @property
    def phase(self) -> str:
        """What it does before it is ready."""
        identity = ProcessIdentity.of(self.pid)
        return IS_STOPPED if identity is not None and identity.stopped() else self._phase

    @property
    def exited(self) -> asyncio.Event:
        """Set once it has exited."""
        return self._child.exited

    @property
    def stopping(self) -> bool:
        """Whether it was asked to stop, or killed."""
        return self._child.stopping

    @property
    def package_folders(self) -> set[str]:
        """The folders of the package that the worker was made of, if it is one: a new file in them is new code."""
        top = Path(str(self.facts.get("file")))
        below = f"{top.resolve().parent}{os.sep}"
        within = [file for file in self.files if file.startswith(below)]
        return {str(Path(file).parent) for file in within} if top.name == "__init__.py" else set()

    @property
    def metrics_port(self) -> int | None:
        """The port on loopback where it serves Prometheus, if it was asked to."""
        return self._metrics.port if self._metrics else None

    @property
    def end_reason(self) -> str:
        """How it ended, in words."""
        if self.failure is not None:
            return self.failure.message
        code = self._child.returncode
        if code is not None and code < 0:
            return f"killed by {signal.Signals(-code).name}"
        return f"exit code {code}"

    async def start(self, *, stdout: int | None = None) -> None:
        """Start it; it loads the SDK and waits. What the user's code prints goes to `stdout`, ours if None."""
        self._child = await ChildProcess.start(
            f"{__package__}.worker_main", on_message=self._handle, on_exit=self._handle_exit, stdout=stdout
        )

    async def prepare(self, options: WorkerOptions, *, metrics: bool) -> Mapping[str, Any]:
        """Import the module, connect and make the worker, which does not poll yet; its facts.

        Raises:
            DevServerError: It failed, and has ended.
        """
        data = options.to_json()
        if metrics:
            self._metrics = Reservation("127.0.0.1", 0)
            data["metrics_port"] = self._metrics.port
        self._child.send("prepare", options=data)
        self.facts = await self._prepared
        return self.facts

    async def run(self) -> None:
        """Let the worker poll, and wait until it does or has ended."""
        self._child.send("run")
        await wait_any(self._running.wait(), self.exited.wait())

    async def drain(self, limit: float) -> None:
        """Ask it to stop, and wait until its last workflow task is completed; activities may still run.

        After `limit` seconds it is killed, and `killed` is true.
        """
        self.stop()
        await wait_any(self._drained.wait(), self.exited.wait(), limit=limit)
        if not self._drained.is_set():
            self.killed = not self.exited.is_set()
            await self.kill()

    def stop(self) -> None:
        """Ask it to stop once its activities are done, or their graceful shutdown timeout is over."""
        self._child.request_stop()

    async def wait(self, limit: float) -> bool:
        """Wait until it has exited, and kill it after `limit` seconds; whether it has exited by itself."""
        return await self._child.wait(limit)

    async def kill(self) -> None:
        """Kill it, and wait until it has exited."""
        await self._child.kill()

    def request_kill(self) -> None:
        """Kill it, without waiting."""
        self._child.request_kill()

    def _handle_exit(self) -> None:
        if not self._prepared.done():
            code = self._child.returncode
            killed = code is not None and code < 0 and -code not in CRASHES and not self.stopping
            kind = WorkerKilled if killed else WorkerEnded
            ended = kind(f"the worker process ended before it was ready: {self.end_reason}")
            self._prepared.set_exception(self.failure or ended)
            self._prepared.exception()  # retrieved, where nobody waits for it
        if self._metrics is not None:
            self._metrics.release()
        self._on_event(self, "exited", {})

    def _handle(self, message: dict[str, Any]) -> None:
        kind = message.pop("kind")
        if "files" in message:
            self.files, self.since = message.pop("files"), message.pop("since")
        if kind == "prepared" and not self._prepared.done():  # it may have been cancelled
            self._prepared.set_result(message)
        elif kind == "failed":
            self.failure = DevServerError.from_json(message["error"])
        elif kind == "running":
            self._running.set()
        elif kind == "phase":
            self._phase = message["phase"]
            return
        elif kind == "drained":
            self.activities = message["activities"]
            self._drained.set()
        self._on_event(self, kind, message)
