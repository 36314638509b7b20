"""What faults of the patient have in common: they need one, and several make a chain."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from ...cluster.declaration import NODE, ROLES, Cassandra, Cluster, Postgres
from ...cluster.external import ExternalCluster
from ...cluster.role_config import DATABASE_GROUP
from ..environment.run_context import RunContext
from ..errors import FaultImpossible, ScenarioInvalid
from ..patient.patient import Patient
from ..scenario.events import TriggerEvent
from ..scenario.scenario import Scenario

Rest = Coroutine[Any, Any, None]


class PatientFault:
    """A fault of the scenario's patient."""

    of_patient = True

    def check(self, scenario: Scenario) -> None:
        """Check that the scenario has a patient that the fault fits.

        Raises:
            ScenarioInvalid: It has not.
        """
        if scenario.patient is None:
            raise ScenarioInvalid(
                f"{scenario.name!r} has no patient: {self}",
                hint="add Scenario(..., patient=Cluster(...)); for the runbook's own server: faults.kill_server(), ...",
            )
        if isinstance(scenario.patient, ExternalCluster):
            raise ScenarioInvalid(
                f"the patient of {scenario.name!r} is {scenario.patient}: {self}",
                hint="only a cluster that the rehearsal has started can be broken: Scenario(..., patient=Cluster(...))",
            )
        self.check_patient(scenario.name, scenario.patient)

    def check_patient(self, name: str, patient: Cluster) -> None:
        """Check that the fault fits the patient of the scenario `name`."""

    async def begin(self, context: RunContext, trigger: TriggerEvent) -> Rest | None:
        """Do it; the rest, if there is one, undoes it."""
        if context.patient is None:
            raise FaultImpossible("there is no patient")
        return await self.harm(context, context.patient)

    async def harm(self, context: RunContext, patient: Patient) -> Rest | None:
        """Do it to the patient; the rest, if there is one, undoes it."""
        raise NotImplementedError

    def then(self, *others: PatientFault) -> FaultChain:
        """This fault, and then others at once: a fault that shows only when a member restarts, and that restart."""
        return FaultChain((self, *others))


@dataclass(frozen=True)
class FaultChain(PatientFault):
    """Faults of the patient, one after the other."""

    faults: Sequence[PatientFault]

    def check(self, scenario: Scenario) -> None:
        """Check each."""
        for fault in self.faults:
            fault.check(scenario)

    async def harm(self, context: RunContext, patient: Patient) -> Rest | None:
        """Do each; what undoes them runs at the same time."""
        rests: list[Rest] = []
        try:
            for fault in self.faults:
                rest = await fault.harm(context, patient)
                if rest is not None:
                    rests.append(rest)
        except BaseException:
            for rest in rests:
                rest.close()
            raise
        return _all(rests) if rests else None

    def then(self, *others: PatientFault) -> FaultChain:
        """These faults, and then others."""
        return FaultChain((*self.faults, *others))

    def __str__(self) -> str:
        return ", then ".join(map(str, self.faults))


async def _all(rests: Sequence[Rest]) -> None:
    for result in await asyncio.gather(*rests, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result


def require_member(name: str, patient: Cluster, member: str) -> None:
    """Check that a patient has such a member, role or database.

    Raises:
        ScenarioInvalid: It has not.
    """
    groups = (*ROLES, DATABASE_GROUP, *([NODE] if isinstance(patient.database, Cassandra) else []))
    if member not in (*patient.members(), *groups):
        raise ScenarioInvalid(
            f"the patient of {name!r} has no member {member!r}",
            hint=f"use one of {', '.join((*patient.members(), *groups))}",
        )


def require_postgres(fault: object, name: str, patient: Cluster) -> None:
    """Check that a patient's database is PostgreSQL.

    Raises:
        ScenarioInvalid: It is another.
    """
    if not isinstance(patient.database, Postgres):
        raise ScenarioInvalid(
            f"{name!r} has a fault that only a patient on PostgreSQL can have: {fault}",
            hint="declare the patient with database=postgres()",
        )
