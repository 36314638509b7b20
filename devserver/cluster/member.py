"""One process of a cluster: started, stopped, killed and frozen by the process that supervises it."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ..server.log import log_tail
from ..system.process import ProcessIdentity
from ..system.spawn import Child, client_free_environment, spawn_bound
from . import full_disk, postgres_server
from .declaration import DATABASE
from .errors import ClusterStartFailed
from .folder import ClusterFolder

STOP_SECONDS = 10.0
ENDING = {
    ("stopped", False): signal.SIGTERM,
    ("stopped", True): signal.SIGINT,
    ("discarded", True): signal.SIGQUIT,
}
LOG_LINES = 8
LINE_LENGTH = 300  # the server logs the stack traces of its errors on the same line


class ClusterMember:
    """One process of the cluster: its command, and what became of it.

    Attributes:
        name: Such as `history-2`, `node-1` or `postgres`.
        state: `running`, `frozen`, `stopped`, `killed` or `exited` (by itself).
        exit: How it ended by itself.
        starts: How often it was started.
        place: Where it answers.
        version: The version of the Temporal server that it runs; empty for a database.

    Args:
        name: Its name.
        words: Its command line.
        folder: The cluster's folder.
        answers: Whether it answers at its place.
        place: Such as `its port 7233`.
        version: The version of its server.
    """

    def __init__(
        self,
        name: str,
        words: Sequence[str],
        folder: ClusterFolder,
        answers: Callable[[], bool],
        place: str,
        version: str = "",
    ) -> None:
        self.name = name
        self.place = place
        self.version = version
        self.answers = answers
        self.state = "stopped"
        self.exit: str | None = None
        self.starts = 0
        self._words = words
        self._folder = folder
        self._child: Child | None = None

    @property
    def pid(self) -> int | None:
        """Its process; None if it does not run."""
        self.look()
        return self._child.pid if self._child is not None and self._child.returncode is None else None

    def replace(self, words: Sequence[str], version: str) -> None:
        """Run another command, of this version of the server, from its next start on."""
        self._words = words
        self.version = version

    def start(self) -> None:
        """Start it, unless it runs; its output is appended to its log.

        Raises:
            ClusterStartFailed: The operating system refuses.
        """
        if self.pid is not None:
            return
        if self.name == DATABASE:
            postgres_server.clear_stale_lock(self._folder.database)
        disk = full_disk.inherited(self._folder) if self.name == DATABASE else contextlib.nullcontext()
        try:
            with disk:
                self._child = spawn_bound(self._words, log=self._folder.log(self.name), environ=environment())
        except OSError as error:
            raise ClusterStartFailed(f"cannot start {self.name}: {error.strerror}", details=[self._words[0]]) from error
        self.state, self.exit = "running", None
        self.starts += 1

    def look(self) -> None:
        """Note whether it has ended by itself."""
        if self._child is None or self.state not in ("running", "frozen"):
            return
        code = self._child.poll()
        if code is not None:
            self.state = "exited"
            self.exit = f"signal {-code}" if code < 0 else f"exit code {code}"

    def ending(self, state: str) -> Iterator[None]:
        """Stop it (`stopped`: SIGTERM, for PostgreSQL SIGINT; SIGKILL after ten seconds), kill it (`killed`), or end it
        without keeping its data (`discarded`: PostgreSQL still removes its shared memory). It yields while it waits.
        """
        if self.pid is None or self._child is None:
            return
        child, identity = self._child, ProcessIdentity.of(self._child.pid)
        self.state = state
        number = ENDING.get((state, self.name == DATABASE))
        if number is not None and identity is not None:
            identity.signal(number)
            self._signal(signal.SIGCONT)
            deadline = time.monotonic() + STOP_SECONDS
            while identity.alive() and time.monotonic() < deadline:
                yield
        others = self.processes()[1:]
        child.kill()
        child.wait()
        for other in others:  # the children of PostgreSQL end with it, unless they are frozen
            other.signal(signal.SIGKILL)

    def freeze(self) -> None:
        """Suspend it with its children (SIGSTOP): it keeps its connections and answers nothing."""
        if self.pid is not None:
            for process in self.processes():
                process.freeze()
            self.state = "frozen"

    def thaw(self) -> None:
        """Continue it."""
        if self.state == "frozen":
            self._signal(signal.SIGCONT)
            self.state = "running"

    def last_lines(self) -> list[str]:
        """The end of its log."""
        lines = log_tail(self._folder.log(self.name), LOG_LINES)
        return [line if len(line) <= LINE_LENGTH else f"{line[:LINE_LENGTH]}..." for line in lines]

    def to_json(self) -> dict[str, Any]:
        """`name`, `state`, `pid`, `exit`, `starts`, `version` (null for a database) and `log`."""
        pid = self.pid
        return {
            "name": self.name,
            "state": self.state,
            "pid": pid,
            "exit": self.exit,
            "starts": self.starts,
            "version": self.version or None,
            "log": str(self._folder.log(self.name)),
        }

    def _signal(self, number: int) -> None:
        for process in self.processes():
            process.signal(number)

    def processes(self) -> list[ProcessIdentity]:
        """Its process, then the children of PostgreSQL, which has one for each connection."""
        if self._child is None or self._child.returncode is not None:
            return []
        pids = [self._child.pid]
        if self.name == DATABASE:
            import psutil

            with contextlib.suppress(psutil.Error):
                pids += [child.pid for child in psutil.Process(self._child.pid).children(recursive=True)]
        return [identity for pid in pids if (identity := ProcessIdentity.of(pid)) is not None]


def listens(port: int) -> bool:
    """Whether a process listens on this port of 127.0.0.1."""
    with contextlib.suppress(OSError), socket.create_connection((postgres_server.HOST, port), timeout=1.0):
        return True
    return False


def environment() -> dict[str, str]:
    """The environment of the members: without settings of clients and of PostgreSQL's (`PG...`)."""
    return {key: value for key, value in client_free_environment(os.environ).items() if not key.startswith("PG")}
