"""The processes of a cluster: started, stopped, killed and frozen by the process that supervises them."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..server.log import log_tail
from ..system.process import ProcessIdentity
from ..system.signals import SignalWaiter
from ..system.spawn import Child, client_free_environment, spawn_bound
from . import full_disk, postgres_server
from .declaration import DATABASE, ROLES
from .errors import ClusterStartFailed, MemberUnknown
from .folder import ClusterFolder, command
from .postgres_server import HOST
from .role_config import DATABASE_GROUP, MemberPorts, groups_of

STOP_SECONDS = 10.0
POLL_SECONDS = 0.02
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
        name: Such as `history-2`, or `postgres`.
        state: `running`, `frozen`, `stopped`, `killed` or `exited` (by itself).
        exit: How it ended by itself.
        starts: How often it was started.
    """

    def __init__(self, name: str, words: Sequence[str], folder: ClusterFolder, environ: Mapping[str, str]) -> None:
        self.name = name
        self.state = "stopped"
        self.exit: str | None = None
        self.starts = 0
        self._words = words
        self._folder = folder
        self._environ = environ
        self._child: Child | None = None

    @property
    def pid(self) -> int | None:
        """Its process; None if it does not run."""
        self.look()
        return self._child.pid if self._child is not None and self._child.returncode is None else None

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
                self._child = spawn_bound(self._words, log=self._folder.log(self.name), environ=self._environ)
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

    def end(self, state: str) -> None:
        """Stop it (`stopped`: SIGTERM, for PostgreSQL SIGINT; SIGKILL after ten seconds), kill it (`killed`), or end it
        without keeping its data (`discarded`: PostgreSQL still removes its shared memory).
        """
        if self.pid is None or self._child is None:
            return
        identity = ProcessIdentity.of(self._child.pid)
        self.state = state
        number = ENDING.get((state, self.name == DATABASE))
        if number is not None and identity is not None:
            identity.signal(number)
            self._signal(signal.SIGCONT)
            identity.wait_gone(STOP_SECONDS)
        others = self.processes()[1:]
        self._child.kill()
        self._child.wait()
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
        """`name`, `state`, `pid`, `exit`, `starts` and `log`."""
        pid = self.pid
        return {
            "name": self.name,
            "state": self.state,
            "pid": pid,
            "exit": self.exit,
            "starts": self.starts,
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


class ClusterMembers:
    """All processes of a cluster, the database first. What waits ends with a signal or the end of the lifeline."""

    def __init__(
        self,
        members: Sequence[ClusterMember],
        folder: ClusterFolder,
        signals: SignalWaiter,
        lifeline: Sequence[int] = (),
    ) -> None:
        self._members = {member.name: member for member in members}
        self._folder = folder
        self._signals = signals
        self._lifeline = lifeline

    def __iter__(self) -> Iterator[ClusterMember]:
        return iter(self._members.values())

    def chosen(self, name: str) -> list[ClusterMember]:
        """The member of that name, or all of that role.

        Raises:
            MemberUnknown: There is none.
        """
        if name in self._members:
            return [self._members[name]]
        if group := [member for member in self if name in groups_of(member.name)]:
            return group
        raise MemberUnknown(
            f"the cluster {self._folder.name} has no member {name!r}",
            hint=f"its members: {', '.join(self._members)}; {', '.join(ROLES)} and {DATABASE_GROUP} name all of theirs",
        )

    def start(self, members: Sequence[ClusterMember], ports: Mapping[str, MemberPorts], deadline: float) -> None:
        """Start members and wait until they listen: the database first, then one role alone, then the others.

        Several roles that start on a new database at once race for a row of it, and the losers end.

        Args:
            members: Those to start.
            ports: The ports of each member.
            deadline: By `time.monotonic()`.

        Raises:
            ClusterStartFailed: One does not start.
        """
        waiting = [member for member in members if member.pid is None]
        first = [member for member in waiting if member.name == DATABASE]
        roles = [member for member in waiting if member.name != DATABASE]
        for group in (first, roles[:1], roles[1:]):
            for member in group:
                member.start()
            for member in group:
                self._until_listening(member, ports[member.name].grpc, deadline)

    def stop(self, members: Sequence[ClusterMember], state: str = "stopped") -> None:
        """Stop or kill members, the database last."""
        for member in reversed(list(members)):
            member.end(state)

    def require_alive(self, members: Sequence[ClusterMember] = ()) -> None:
        """Check that these members (all of them) live.

        Raises:
            ClusterStartFailed: One has ended by itself.
        """
        for member in members or self:
            member.look()
            if member.state == "exited":
                raise self._failed(member, f"{member.name} ended while it started ({member.exit})")

    def pause(self, seconds: float) -> None:
        """Sleep, unless this process is asked to end.

        Raises:
            ClusterStartFailed: It is.
        """
        if self._signals.sleep(seconds, *self._lifeline) or self._signals.ending is not None:
            raise ClusterStartFailed("the start of the cluster was interrupted")

    def _until_listening(self, member: ClusterMember, port: int, deadline: float) -> None:
        while not (postgres_server.accepts(port) if member.name == DATABASE else _listens(port)):
            self.require_alive([member])
            if time.monotonic() >= deadline:
                raise self._failed(member, f"{member.name} does not answer on its port {port}")
            self.pause(POLL_SECONDS)

    def _failed(self, member: ClusterMember, what: str) -> ClusterStartFailed:
        return ClusterStartFailed(
            what,
            details=[*member.last_lines(), f"its log: {self._folder.log(member.name)}"],
            hint=f"see the whole log with: {command('logs', self._folder.name)} {member.name}",
        )


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1.0):
        return True
    return False


def environment() -> dict[str, str]:
    """The environment of the members: without settings of clients and of PostgreSQL's (`PG...`)."""
    return {key: value for key, value in client_free_environment(os.environ).items() if not key.startswith("PG")}
