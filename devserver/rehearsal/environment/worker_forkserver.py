"""Where worker processes come from: a process that has the SDK loaded and waits, so that each is there at once.

It forks before the SDK has made any thread. Importing the SDK takes longer than a server's start.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from ..errors import WorkerFailed
from .asyncio_compat import within

if TYPE_CHECKING:
    from typing_extensions import Self

START_SECONDS = 60.0
PID = struct.Struct("!i")


class Nest:
    """Forks worker processes until it is closed; those that still live then end too."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair()
        self._socket.setblocking(False)
        self._one = asyncio.Lock()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", f"{__package__}.worker_forkserver_main", str(theirs.fileno()), str(os.getpid())],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is the rehearsal's to handle
            )

    async def fork(self, descriptors: Sequence[int]) -> int:
        """A new worker process with its socket, its lifeline and its log; its pid.

        Raises:
            WorkerFailed: The process that forks has died.
        """
        async with self._one:
            try:
                socket.send_fds(self._socket, [b"f"], list(descriptors))
                call = asyncio.get_running_loop().sock_recv(self._socket, PID.size)
                answer = await within(START_SECONDS, call)
            except (OSError, asyncio.TimeoutError) as error:
                raise WorkerFailed(f"no worker process can be made: {error}") from None
            if len(answer) < PID.size:
                raise WorkerFailed("no worker process can be made: the process that makes them has ended")
            pid: int = PID.unpack(answer)[0]
            return pid

    def close(self) -> None:
        """End it."""
        self._socket.close()
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
