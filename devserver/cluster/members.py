"""The processes of a cluster: chosen by name, started and stopped in their order.

What waits is a generator, which yields while it waits: meanwhile the supervising process answers other requests.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator, Sequence

from ..system.signals import SignalWaiter
from .declaration import DATABASE, NODE, ROLES
from .errors import ClusterStartFailed, MemberUnknown
from .folder import ClusterFolder, command
from .member import ClusterMember
from .role_config import DATABASE_GROUP, groups_of, role_of

POLL_SECONDS = 0.02
PROCESS_KINDS = ("start", "stop", "restart", "kill", "freeze", "thaw")


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

    def add(self, member: ClusterMember) -> None:
        """Add a member, which is started like the others."""
        self._members[member.name] = member

    def remove(self, member: ClusterMember) -> None:
        """Forget a member that has ended."""
        del self._members[member.name]

    def __iter__(self) -> Iterator[ClusterMember]:
        return iter(list(self._members.values()))

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

    def change(self, kind: str, name: str, deadline: float) -> Generator[None, None, None]:
        """Do one of PROCESS_KINDS to the members that a name means.

        Raises:
            MemberUnknown: There is none.
            ClusterStartFailed: One does not start by the deadline.
        """
        chosen = self.chosen(name)
        if kind in ("stop", "kill", "restart"):
            yield from self.stopping(chosen, "killed" if kind == "kill" else "stopped")
        if kind in ("start", "restart"):
            yield from self.starting(chosen, deadline)
        if kind in ("freeze", "thaw"):
            for member in chosen:
                (member.freeze if kind == "freeze" else member.thaw)()

    def starting(self, members: Iterable[ClusterMember], deadline: float) -> Generator[None, None, None]:
        """Start members and wait until they answer: the databases first, then one role alone, then the others.

        Several roles that start on a new database at once race for a row of it, and the losers end.

        Args:
            members: Those to start; frozen ones stay frozen.
            deadline: By `time.monotonic()`.

        Raises:
            ClusterStartFailed: One does not start.
        """
        for group in _in_order(member for member in members if member.state != "frozen"):
            for member in group:
                member.start()
            for member in group:
                while not member.answers():
                    self.require_alive([member])
                    if member.state != "running":
                        raise self._failed(member, f"{member.name} does not start: it was {member.state} meanwhile")
                    if time.monotonic() >= deadline:
                        raise self._failed(member, f"{member.name} does not answer on {member.place}")
                    yield

    def stopping(self, members: Sequence[ClusterMember], state: str = "stopped") -> Generator[None, None, None]:
        """Stop or kill members: one after the other, the nodes together, the databases last."""
        nodes = [member for member in members if role_of(member.name) == NODE]
        others = [member for member in members if member not in nodes]
        databases = [member for member in others if member.name == DATABASE]
        for member in reversed([member for member in others if member not in databases]):
            yield from member.ending(state)
        yield from _together([node.ending(state) for node in nodes])
        for member in databases:
            yield from member.ending(state)

    def stop(self, members: Sequence[ClusterMember], state: str = "stopped") -> None:
        """Stop or kill members, and wait for their end."""
        for _ in self.stopping(members, state):
            time.sleep(POLL_SECONDS)

    def require_alive(self, members: Iterable[ClusterMember] | None = None) -> None:
        """Check that these members (all of them) live.

        Raises:
            ClusterStartFailed: One has ended by itself.
        """
        for member in self if members is None else members:
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

    def _failed(self, member: ClusterMember, what: str) -> ClusterStartFailed:
        return ClusterStartFailed(
            what,
            details=[*member.last_lines(), f"its log: {self._folder.log(member.name)}"],
            hint=f"see the whole log with: {command('logs', self._folder.name)} {member.name}",
        )


def _in_order(members: Iterable[ClusterMember]) -> list[list[ClusterMember]]:
    """Those that start together, group by group."""
    chosen = list(members)
    database = [member for member in chosen if member.name == DATABASE]
    nodes = [member for member in chosen if role_of(member.name) == NODE]
    roles = [member for member in chosen if role_of(member.name) in ROLES]
    return [database, nodes, roles[:1], roles[1:]]


def _together(work: list[Iterator[None]]) -> Iterator[None]:
    """Advance each until all have ended."""
    while work:
        work = [each for each in work if next(each, each) is None]
        yield
