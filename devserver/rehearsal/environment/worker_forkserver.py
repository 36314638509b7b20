"""The process that worker processes are forked from: it has loaded the SDK, so that each of them starts at once.

Importing the SDK takes longer than starting a server. The process forks before the SDK has started any thread.

`multiprocessing`'s fork server was tried in its place and does not fit. Each child runs the parent's main module again
(a script without `if __name__ == "__main__"` runs twice). A process has only one fork server, which may already run
without the SDK and has no public way to end. Its children get Ctrl-C. A killed parent leaves its socket folder behind.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from ...system.channel import Channel
from ...system.child_process import start_child
from ...system.spawn import Child
from ..errors import WorkerFailed

if TYPE_CHECKING:
    from typing_extensions import Self

START_SECONDS = 60.0


class WorkerForkServer:
    """Forks worker processes until it is closed; those that still run end with it (Linux).

    Args:
        fork: Make it a copy of this process, which saves loading the SDK again. For a process that has not imported any
            code of the user yet; where it has other threads, a new process is started.
    """

    def __init__(self, *, fork: bool = False) -> None:
        self._process: Child | subprocess.Popen[bytes]
        self._process, self._channel = _forked() if fork and threading.active_count() == 1 else _started()
        self._lock = threading.Lock()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it is running."""
        return self._process.poll() is None

    async def fork(self, descriptors: Sequence[int]) -> int:
        """Fork a worker process that gets copies of `descriptors`: its socket and its log; its process id.

        Raises:
            WorkerFailed: The fork server has ended.
        """
        copies = [os.dup(descriptor) for descriptor in descriptors]  # a caller that is cancelled closes its own
        return await asyncio.to_thread(self._fork, copies)

    def _fork(self, descriptors: Sequence[int]) -> int:
        try:
            with self._lock:
                self._channel.send("fork", descriptors)
                answer = self._channel.receive()
        except OSError as error:
            raise WorkerFailed(f"cannot start a worker process: the fork server does not answer: {error}") from None
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        if answer is None:
            raise WorkerFailed("cannot start a worker process: the fork server has ended or does not answer")
        return int(answer["pid"])

    def close(self) -> None:
        """Kill it."""
        self._channel.close()
        self._process.kill()
        self._process.wait()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _started() -> tuple[subprocess.Popen[bytes], Channel]:
    return start_child(f"{__package__}.worker_forkserver_main", timeout=START_SECONDS)


def _forked() -> tuple[Child, Channel]:
    from . import worker_forkserver_main

    parent = os.getpid()
    ours, theirs = socket.socketpair()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()  # the copy must not print it again
    pid = os.fork()
    if pid == 0:
        worker_forkserver_main.main_in_fork(theirs.fileno(), parent)
    theirs.close()
    ours.settimeout(START_SECONDS)
    return Child(pid), Channel(ours)
