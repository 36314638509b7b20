"""Faults of the network between the patient's roles and its database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...cluster.declaration import Cluster
from ..environment.run_context import RunContext
from ..patient.patient import Patient
from .patient_fault import PatientFault, Rest, require_member, require_postgres


class LinkFault(PatientFault):
    """Something is done to the network between a member or role and the database, and undone after a time, or never."""

    kind = ""
    member: str
    seconds: float | None

    def check_patient(self, name: str, patient: Cluster) -> None:
        """Check that the patient has such a member, and a network that can be changed.

        Raises:
            ScenarioInvalid: It has not.
        """
        require_postgres(self, name, patient)
        require_member(name, patient, self.member)

    def facts(self) -> dict[str, Any]:
        """The details of the request."""
        raise NotImplementedError

    async def harm(self, context: RunContext, patient: Patient) -> Rest | None:
        """Do it; the rest undoes it."""
        await patient.ask(self.kind, self.member, **self.facts())
        return None if self.seconds is None else self._heal(context, patient, self.seconds)

    async def _heal(self, context: RunContext, patient: Patient, seconds: float) -> None:
        await context.lasts(seconds)
        await patient.ask("heal", self.member)

    def _between(self) -> str:
        return f"of the patient, the network between {self.member} and the database"

    def _long(self) -> str:
        return ", until the runbook repairs it" if self.seconds is None else f" for {self.seconds:g} s"


@dataclass(frozen=True)
class CutLinks(LinkFault):
    """Nothing passes."""

    member: str
    how: str
    seconds: float | None = None

    kind = "cut"

    def facts(self) -> dict[str, Any]:
        """How it is cut."""
        return {"how": self.how}

    def __str__(self) -> str:
        return f"{self._between()} is cut ({self.how}){self._long()}"


@dataclass(frozen=True)
class SlowLinks(LinkFault):
    """Everything takes longer."""

    member: str
    by: float
    seconds: float | None = None

    kind = "slow"

    def facts(self) -> dict[str, Any]:
        """By how much."""
        return {"by": self.by}

    def __str__(self) -> str:
        return f"{self._between()} takes {self.by:g} s longer each way{self._long()}"
