"""Faults of the patient's Cassandra nodes: `faults.node(2).black_hole()`, until the runbook repairs it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from ...cluster.declaration import NODE
from ..errors import ScenarioInvalid
from ..scenario.arguments import seconds
from .cluster import ClusterFault


@dataclass(frozen=True)
class NodeFaults:
    """What can be done to a node of the patient; with a time, the rehearsal itself undoes it."""

    member: str

    def kill(self, down: float | timedelta | None = None) -> ClusterFault:
        """Kill it (SIGKILL): its address answers with a reset."""
        return self._fault("kill", down, "down")

    def freeze(self, for_: float | timedelta | None = None) -> ClusterFault:
        """Suspend it (SIGSTOP): connections are accepted, and nothing is answered."""
        return self._fault("freeze", for_, "for_")

    def black_hole(self, for_: float | timedelta | None = None) -> ClusterFault:
        """Drop every packet between it and everything else: nothing answers, not even with a reset.

        Needs `nft`, and user and network namespaces (Linux).
        """
        return self._fault("black-hole", for_, "for_")

    def _fault(self, kind: str, time: float | timedelta | None, name: str) -> ClusterFault:
        return ClusterFault(kind, self.member, None if time is None else seconds(time, f"node.{kind}({name}=...)"))


def node(number: int | None = None) -> NodeFaults:
    """The Cassandra node of this number, from 1; all nodes without a number.

    Raises:
        ScenarioInvalid: The number is not one.
    """
    if number is None:
        return NodeFaults(NODE)
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise ScenarioInvalid(f"faults.node takes the number of a node from 1, not {number!r}")
    return NodeFaults(f"{NODE}-{number}")
