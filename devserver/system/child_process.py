"""Child processes that run a module of ours: how a parent starts them, exchanges messages with them and ends them.

The child is `python -m MODULE SOCKET PARENT [ARGUMENT...]`. It makes a `ParentChannel` of the first two arguments, so
that it ends with its parent. It has a session of its own: Ctrl-C is the parent's to handle.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import IO, Any

from .channel import Channel, decode, encode
from .process import ProcessIdentity

MAX_LINE_BYTES = 2**24
LAST_MESSAGES_SECONDS = 1.0
POLL_SECONDS = 0.002

OnMessage = Callable[[dict[str, Any]], None]
OnExit = Callable[[], None]


class ChildProcess:
    """A child process of an asyncio program.

    Attributes:
        pid: Its process id.
        returncode: Its exit code, or the number of the signal that ended it, negated. None while it runs, and for a
            process that `attach` has taken over.
        exited: Set once it has exited, is reaped, and every message of it was handled.
        stopping: Whether this process has asked it to stop, or has killed it.
    """

    def __init__(self, pid: int, on_message: OnMessage, on_exit: OnExit) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.exited = asyncio.Event()
        self.stopping = False
        self._on_message = on_message
        self._on_exit = on_exit
        self._identity = ProcessIdentity.of(pid)

    @classmethod
    async def start(
        cls,
        module: str,
        *arguments: str,
        on_message: OnMessage,
        on_exit: OnExit,
        stdout: int | IO[bytes] | None = None,
    ) -> ChildProcess:
        """Start a child process. Both callbacks are called in this event loop; what it prints goes to `stdout`."""
        ours, theirs = socket.socketpair()
        with theirs:
            process = await asyncio.create_subprocess_exec(
                *_command(module, theirs, arguments),
                pass_fds=(theirs.fileno(),),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=stdout,
                start_new_session=True,
            )
        child = cls(process.pid, on_message, on_exit)
        await child._connect(ours, process.wait)
        return child

    @classmethod
    async def attach(
        cls, pid: int, connected: socket.socket, *, on_message: OnMessage, on_exit: OnExit
    ) -> ChildProcess:
        """Take over a process that a fork server has made, and our end of its socket."""
        child = cls(pid, on_message, on_exit)
        await child._connect(connected, None)
        return child

    def send(self, kind: str, **facts: Any) -> None:
        """Send a message; nothing happens if the process has ended."""
        with contextlib.suppress(OSError):
            self._writer.write(encode(kind, facts))

    def signal(self, number: int) -> None:
        """Send a signal; nothing happens if the process has ended."""
        if self._identity is not None:
            self._identity.signal(number)

    def freeze(self) -> None:
        """Stop every thread of it until it gets SIGCONT."""
        if self._identity is not None:
            self._identity.freeze()

    async def stop(self, limit: float) -> bool:
        """Ask it to stop, and kill it after `limit` seconds; whether it has stopped by itself."""
        self.request_stop()
        return await self.wait(limit)

    def request_stop(self) -> None:
        """Ask it to stop, and wake it if it is frozen."""
        self.stopping = True
        self.signal(signal.SIGCONT)
        self.send("stop")

    async def wait(self, limit: float) -> bool:
        """Wait until it has exited, and kill it after `limit` seconds; whether it has exited by itself."""
        await wait_any(self.exited.wait(), limit=limit)
        if self.exited.is_set():
            return True
        await self.kill()
        return False

    async def kill(self) -> None:
        """Kill it, and wait until it has exited."""
        self.request_kill()
        await self.exited.wait()

    def request_kill(self) -> None:
        """Kill it, without waiting."""
        self.stopping = True
        self.signal(signal.SIGKILL)

    async def _connect(self, connected: socket.socket, wait: Callable[[], Awaitable[int]] | None) -> None:
        reader, self._writer = await asyncio.open_connection(sock=connected, limit=MAX_LINE_BYTES)
        self._following = asyncio.create_task(self._follow(reader, wait))

    async def _follow(self, reader: asyncio.StreamReader, wait: Callable[[], Awaitable[int]] | None) -> None:
        reading = asyncio.create_task(self._read(reader))
        if wait is not None:
            self.returncode = await wait()
            await wait_any(reading, limit=LAST_MESSAGES_SECONDS)  # a process it has forked may keep the socket open
        else:
            await reading
            while self._identity is not None and self._identity.alive():
                await asyncio.sleep(POLL_SECONDS)
        self._writer.close()
        self.exited.set()
        self._on_exit()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError):
            async for line in reader:
                self._on_message(decode(line))


def start_child(
    module: str,
    *arguments: str,
    stdout: int | IO[bytes] | None = None,
    stderr: int | IO[bytes] | None = None,
    timeout: float | None = None,
) -> tuple[subprocess.Popen[bytes], Channel]:
    """Start a child process where no event loop is running; the process, and the channel to it.

    Args:
        module: Run with the socket, this process's id and `arguments`.
        stdout: Where it prints to; as this process if None.
        stderr: As `stdout`.
        timeout: The longest wait for a message, in seconds.
    """
    ours, theirs = socket.socketpair()
    ours.settimeout(timeout)
    with theirs:
        process = subprocess.Popen(
            _command(module, theirs, arguments),
            pass_fds=(theirs.fileno(),),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
    return process, Channel(ours)


async def wait_any(*awaitables: Awaitable[Any], limit: float | None = None) -> None:
    """Wait for the first of these, at most `limit` seconds; the others are cancelled."""
    tasks = [asyncio.ensure_future(awaitable) for awaitable in awaitables]
    try:
        await asyncio.wait(tasks, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


def _command(module: str, theirs: socket.socket, arguments: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", module, str(theirs.fileno()), str(os.getpid()), *arguments]
