"""Faults of the patient: `faults.cluster.kill("history")` kills every history process, until the runbook repairs it.

A member is one process (`history-2`, `postgres`), a role (`history`) is all of its processes, and `database` those of
the database. With `down` (or `for_`) the rehearsal itself ends the outage after that time; without it, only the runbook
does. `a.then(b)` does one after the other: some faults show only when a member restarts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from ...cluster.database_links import WAYS
from ...cluster.declaration import NODE, Cluster
from ...cluster.role_config import DATABASE_GROUP
from ..environment.run_context import RunContext
from ..errors import ScenarioInvalid
from ..patient.patient import Patient
from ..scenario.arguments import seconds
from .cluster_network import CutLinks, SlowLinks
from .cluster_state import DynamicConfig, RateLimit, SchemaBehind
from .patient_fault import PatientFault, Rest, require_member

DONE = {
    "kill": "killed (-9)",
    "stop": "stopped gracefully",
    "freeze": "frozen",
    "restart": "restarted",
    "black-hole": "black-holed: all of its packets are dropped",
}
END = {"kill": "start", "stop": "start", "freeze": "thaw", "black-hole": "reconnect"}


@dataclass(frozen=True)
class ClusterFault(PatientFault):
    """Something is done to a member of the patient, and undone after a time, or never."""

    kind: str
    member: str
    down: float | None = None

    def check_patient(self, name: str, patient: Cluster) -> None:
        """Check that the patient has such a member.

        Raises:
            ScenarioInvalid: It has not.
        """
        require_member(name, patient, self.member)

    async def harm(self, context: RunContext, patient: Patient) -> Rest | None:
        """Do it; the rest, if there is one, undoes it."""
        if self.kind == "restart":
            await patient.restart(self.member)
        else:
            await patient.ask(self.kind, self.member)
        return None if self.down is None else self._undo(context, patient, self.down)

    async def _undo(self, context: RunContext, patient: Patient, down: float) -> None:
        await context.lasts(down)
        await patient.ask(END[self.kind], self.member)

    def __str__(self) -> str:
        group = DATABASE_GROUP if self.member == DATABASE_GROUP else f"{self.member} process"
        what = self.member if self.member == "postgres" or "-" in self.member else f"every {group}"
        long = ""
        if self.member in (DATABASE_GROUP, NODE):
            what = "the database" if self.member == DATABASE_GROUP else "every Cassandra node"
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
    """Stop a member or a role of the patient gracefully, and start it again; it may not come back.

    Several faults show only then: `faults.cluster.schema_behind().then(faults.cluster.restart("history"))`.
    """
    return ClusterFault("restart", member)


def cut(between: tuple[str, str], how: str, for_: float | timedelta | None = None) -> CutLinks:
    """Cut the network between a member or role and the `database`, in one of three ways.

    `refused`: open connections break, new ones are refused. `reset`: new ones are opened, and break at once.
    `silent`: nothing is answered, and the packets that open a connection are dropped, so clients wait for their own
    time-outs; what is sent on an open connection is still acknowledged by the kernel. PostgreSQL only.
    """
    if how not in WAYS:
        raise ScenarioInvalid(f"the network cannot be cut {how!r}", hint=f"use one of {', '.join(WAYS)}")
    limit = None if for_ is None else seconds(for_, "cluster.cut(for_=...)")
    return CutLinks(_member_of(between), how, limit)


def slow(between: tuple[str, str], by: float | timedelta, for_: float | timedelta | None = None) -> SlowLinks:
    """Everything between a member or role and the `database` takes `by` seconds longer, each way. PostgreSQL only."""
    limit = None if for_ is None else seconds(for_, "cluster.slow(for_=...)")
    return SlowLinks(_member_of(between), seconds(by, "cluster.slow(by=...)"), limit)


def dynamic_config(text: str) -> DynamicConfig:
    """Replace the patient's dynamic configuration by this text (YAML), valid or not.

    Members read it every five seconds and keep their values if they cannot; a member that starts then ends at once.
    """
    if not isinstance(text, str):
        raise ScenarioInvalid(f"cluster.dynamic_config takes the text of a file, not {text!r}")
    return DynamicConfig(text)


def rate_limit(rps: int) -> RateLimit:
    """Allow each frontend of the patient this many requests per second and namespace.

    The server takes a change over within a minute, and at a restart: `.then(faults.cluster.restart("frontend"))`.
    """
    if isinstance(rps, bool) or not isinstance(rps, int) or rps < 1:
        raise ScenarioInvalid(f"cluster.rate_limit takes a number of requests from 1 on, not {rps!r}")
    return RateLimit(rps)


def schema_behind() -> SchemaBehind:
    """Set the version of the patient's schema one back: no role starts, those that run keep running. PostgreSQL only.

    Only the version is set back, not the tables; Temporal's schema tool brings it up to date again.
    """
    return SchemaBehind()


def _member_of(between: tuple[str, str]) -> str:
    if not isinstance(between, (tuple, list)) or len(between) != 2 or DATABASE_GROUP not in between:
        raise ScenarioInvalid(
            f"only the network to the database can be cut or slowed, not that between {between!r}",
            hint='use between=("history", "database"); freeze a member to cut it off from the others',
        )
    first, second = between
    return first if second == DATABASE_GROUP else second


def _fault(kind: str, member: str, down: float | timedelta | None, name: str) -> ClusterFault:
    return ClusterFault(kind, member, None if down is None else seconds(down, f"cluster.{kind}({name}=...)"))
