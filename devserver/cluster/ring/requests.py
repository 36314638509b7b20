"""What the supervising process does to the ring when it is asked to."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import Any

from ...errors import OptionError
from ..declaration import NODE
from ..errors import MemberUnknown, RingRefused
from ..member import ClusterMember
from ..members import ClusterMembers
from .nodetool import RingEntry
from .ring import Ring

MOST_NODES = 9
UNREACHABLE = "unreachable"
LEFT = "left"
Work = Generator[None, None, dict[str, Any]]


class RingRequests:
    """Handles the requests about nodes.

    Args:
        ring: The ring.
        members: All members of the cluster.
        on_change: Is called when nodes were added or removed.
    """

    def __init__(self, ring: Ring, members: ClusterMembers, on_change: Callable[[], None]) -> None:
        self._ring = ring
        self._members = members
        self._on_change = on_change
        self._left: set[int] = set()
        self.kinds: Mapping[str, Callable[[Mapping[str, Any], float], Work]] = {
            "ring": self._entries,
            "add-node": self._add,
            "decommission": self._decommission,
            "remove-node": self._remove,
            "delete-node": self._delete,
            "black-hole": self._black_hole,
            "reconnect": self._reconnect,
        }

    def state_of(self, member: ClusterMember) -> str:
        """The state of a member: `left` if it runs and is out of the ring, `unreachable` if it is in a black hole."""
        if member.state == "running":
            for state, numbers in ((LEFT, self._left), (UNREACHABLE, self._ring.hosts.dropped)):
                if member.name in {self._ring.node(number).name for number in numbers}:
                    return state
        return member.state

    def _entries(self, request: Mapping[str, Any], _: float) -> Work:
        wanted = str(request.get("member", ""))
        number = self._number(wanted) if wanted else self._witness()
        entries = yield from self._ring.entries(number)
        return {"seen_by": self._ring.node(number).name, "ring": [entry.to_json() for entry in entries]}

    def _add(self, request: Mapping[str, Any], deadline: float) -> Work:
        number = self._new_number(str(request.get("member", "")))
        if number in self._ring.numbers:
            (member,) = self._members.chosen(self._ring.node(number).name)
        else:
            member = self._ring.add(number)
            self._members.add(member)
            self._on_change()
        yield from self._members.starting([member], deadline)
        return {"added": member.name}

    def _decommission(self, request: Mapping[str, Any], _: float) -> Work:
        number = self._number(str(request["member"]))
        words = ["decommission", *(["--force"] if request.get("force") else [])]
        if len(self._ring.numbers) == 1 or (yield from self._seen(self._witness(without=number), number)) is not None:
            yield from self._ring.nodetool(number, words)
        self._left.add(number)
        return {}

    def _remove(self, request: Mapping[str, Any], _: float) -> Work:
        """Take a node out of the ring that does not answer; the others take over what it had."""
        number = self._number(str(request["member"]))
        witness = self._witness(without=number)
        entry = yield from self._seen(witness, number)
        if entry is not None:
            yield from self._ring.nodetool(witness, ["removenode", entry.host_id])
        self._left.add(number)
        return {}

    def _delete(self, request: Mapping[str, Any], _: float) -> Work:
        """End a node that is out of the ring, and remove its data."""
        number = self._number(str(request["member"]))
        (member,) = self._members.chosen(self._ring.node(number).name)
        witness = self._witness(without=number)
        if (yield from self._seen(witness, number)) is not None:
            raise RingRefused(
                f"{member.name} is in the ring still: its data would be lost",
                hint=f"take it out first: devserver cluster decommission {member.name} (remove-node, if it is dead)",
            )
        yield from self._members.stopping([member], "killed")
        self._members.remove(member)
        self._ring.delete(number)
        self._left.discard(number)
        self._on_change()
        return {}

    def _black_hole(self, request: Mapping[str, Any], _: float) -> Work:
        for number in sorted(self._numbers(str(request["member"]))):
            self._ring.hosts.black_hole(number, on=True)
        yield from ()
        return {}

    def _reconnect(self, request: Mapping[str, Any], _: float) -> Work:
        for number in sorted(self._numbers(str(request["member"])) & self._ring.hosts.dropped):
            self._ring.hosts.black_hole(number, on=False)
        yield from ()
        return {}

    def _seen(self, witness: int, number: int) -> Generator[None, None, RingEntry | None]:
        """What a node says of another one; None if it is not in the ring."""
        name = self._ring.node(number).name
        entries = yield from self._ring.entries(witness)
        return next((entry for entry in entries if entry.name == name), None)

    def _witness(self, without: int | None = None) -> int:
        """A node that can be asked: it runs, and is in no black hole."""
        for number in self._ring.numbers:
            (member,) = self._members.chosen(self._ring.node(number).name)
            if number != without and self.state_of(member) == "running" and member.pid is not None:
                return number
        raise RingRefused("no node of the ring can be asked", hint="start one with: devserver cluster start node")

    def _numbers(self, name: str) -> set[int]:
        return set(self._ring.numbers) if name == NODE else {self._number(name)}

    def _number(self, name: str) -> int:
        """The number of an existing node."""
        for number in self._ring.numbers:
            if self._ring.node(number).name == name:
                return number
        names = ", ".join(self._ring.node(number).name for number in self._ring.numbers)
        raise MemberUnknown(f"the ring has no node {name!r}", hint=f"its nodes: {names}")

    def _new_number(self, name: str) -> int:
        if not name:
            return max(self._ring.numbers, default=0) + 1
        kind, _, number = name.partition("-")
        if kind != NODE or not number.isdecimal() or not 1 <= int(number[:3]) <= MOST_NODES:
            raise OptionError(f"{name!r} is not a name of a node", hint=f"write node-1 to node-{MOST_NODES}")
        return int(number)
