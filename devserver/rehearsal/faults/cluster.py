"""Faults of the patient: `faults.cluster.kill("history")` kills every history process, until the runbook repairs it.

A member is one process (`history-2`, `postgres`), a role (`history`) is all of its processes. With `down` (or `for_`)
the rehearsal itself ends the outage after that time; without it, only the runbook does.
"""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ...cluster import Cassandra, Cluster
from ...cluster.declaration import DATABASE, ROLES
from ..environment.run_context import RunContext
from ..errors import FaultImpossible, ScenarioInvalid
from ..patient.patient import Patient
from ..scenario.arguments import seconds
from ..scenario.events import TriggerEvent
from ..scenario.scenario import Scenario

NODE = "node"
DONE = {
    "kill": "killed (-9)",
    "stop": "stopped gracefully",
    "freeze": "frozen",
    "restart": "restarted",
    "black-hole": "black-holed: all of its packets are dropped",
}
END = {"kill": "start", "stop": "start", "freeze": "thaw", "black-hole": "heal"}


@dataclass(frozen=True)
class ClusterFault:
    """Something is done to a member of the patient, and undone after a time, or never."""

    kind: str
    member: str
    down: float | None = None

    def check(self, scenario: Scenario) -> None:
        """Check that the scenario has a patient with such a member.

        Raises:
            ScenarioInvalid: It has not.
        """
        if scenario.patient is None:
            raise ScenarioInvalid(
                f"{scenario.name!r} has no patient: {self}", hint="add Scenario(..., patient=Cluster(...))"
            )
        members = (DATABASE, *ROLES, *scenario.patient.roles.members(), *_nodes(scenario.patient))
        if self.member not in members:
            raise ScenarioInvalid(
                f"the patient of {scenario.name!r} has no member {self.member!r}",
                hint=f"use one of {', '.join(members)}",
            )

    async def begin(self, context: RunContext, trigger: TriggerEvent) -> Coroutine[Any, Any, None] | None:
        """Do it; the rest, if there is one, undoes it."""
        patient = context.patient
        if patient is None:
            raise FaultImpossible("there is no patient")
        await patient.ask(self.kind, self.member)
        return None if self.down is None else self._undo(context, patient, self.down)

    async def _undo(self, context: RunContext, patient: Patient, down: float) -> None:
        await context.lasts(down)
        await patient.ask(END[self.kind], self.member)

    def __str__(self) -> str:
        what = self.member
        if self.member == NODE:
            what = "every Cassandra node"
        elif self.member != DATABASE and "-" not in self.member:
            what = f"every {self.member} process"
        long = ""
        if self.kind in END:
            verb = "" if self.kind in ("freeze", "black-hole") else "down "
            long = ", until the runbook repairs it" if self.down is None else f", {verb}for {self.down:g} s"
        return f"of the patient, {what} is {DONE[self.kind]}{long}"


def kill(member: str, down: float | timedelta | None = None) -> ClusterFault:
    """Kill a member or a role of the patient (SIGKILL)."""
    return _fault("kill", member, down, "down")


def stop(member: str, down: float | timedelta | None = None) -> ClusterFault:
    """Stop a member or a role of the patient gracefully (SIGTERM)."""
    return _fault("stop", member, down, "down")


def freeze(member: str, for_: float | timedelta | None = None) -> ClusterFault:
    """Suspend a member or a role of the patient (SIGSTOP): connections stay open, and nothing is answered."""
    return _fault("freeze", member, for_, "for_")


def restart(member: str) -> ClusterFault:
    """Stop a member or a role of the patient gracefully, and start it again."""
    return ClusterFault("restart", member)


def _nodes(cluster: Cluster) -> tuple[str, ...]:
    """The nodes of a cluster on Cassandra, and the word for all of them."""
    if not isinstance(cluster.database, Cassandra):
        return ()
    return (NODE, *(f"{NODE}-{number}" for number in range(1, cluster.database.nodes + 1)))


def _fault(kind: str, member: str, down: float | timedelta | None, name: str) -> ClusterFault:
    return ClusterFault(kind, member, None if down is None else seconds(down, f"cluster.{kind}({name}=...)"))
