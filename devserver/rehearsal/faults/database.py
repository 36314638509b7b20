"""Faults of the patient's database: `faults.database.kill()`. Without `down` or `for_` only the runbook ends it.

Faults of the database of the runbook's own server have flat names, such as `faults.lose_database`.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from ...cluster.declaration import DATABASE, Cluster
from ...cluster.full_disk import FELT
from ...cluster.role_config import DATABASE_GROUP
from ..environment.run_context import RunContext
from ..errors import FaultImpossible
from ..patient.patient import Patient
from ..scenario.arguments import seconds
from . import cluster
from .cluster import ClusterFault
from .patient_fault import PatientFault, Rest, require_postgres


@dataclass(frozen=True)
class FillDatabaseDisk(PatientFault):
    """The kernel refuses writes that make the database's files grow."""

    seconds: float | None

    def check_patient(self, name: str, patient: Cluster) -> None:
        """Check that the database is PostgreSQL."""
        require_postgres(self, name, patient)

    async def harm(self, context: RunContext, patient: Patient) -> Rest | None:
        """Fill it; the rest gives the space back after a time, and sees whether it was felt."""
        written = await asyncio.to_thread(_log_since, patient, 0)
        await patient.ask("fill_disk", DATABASE)
        return self._until_felt(context, patient, len(written))

    async def _until_felt(self, context: RunContext, patient: Patient, written: int) -> None:
        if self.seconds is None:
            await context.over.wait()
        else:
            await context.lasts(self.seconds)
            await patient.ask("free_disk", DATABASE)
        if FELT.encode() not in await asyncio.to_thread(_log_since, patient, written):
            raise FaultImpossible("no write of the database failed meanwhile: it wrote nothing, or had space left")

    def __str__(self) -> str:
        long = ", until the runbook repairs it" if self.seconds is None else f" for {self.seconds:g} s"
        return f"of the patient, the disk of the database is full{long} (its files may not grow: RLIMIT_FSIZE)"


@dataclass(frozen=True)
class ExhaustConnections(PatientFault):
    """Another client holds every connection that is not reserved for the administrator."""

    seconds: float | None

    def check_patient(self, name: str, patient: Cluster) -> None:
        """Check that the database is PostgreSQL."""
        require_postgres(self, name, patient)

    async def harm(self, context: RunContext, patient: Patient) -> Rest | None:
        """Take the connections; the rest gives them back after a time."""
        await patient.database(Patient.take_connections)
        return None if self.seconds is None else self._release(context, patient, self.seconds)

    async def _release(self, context: RunContext, patient: Patient, seconds: float) -> None:
        try:
            await context.lasts(seconds)
        finally:
            await asyncio.to_thread(patient.release_connections)

    def __str__(self) -> str:
        long = ", until the runbook repairs it" if self.seconds is None else f" for {self.seconds:g} s"
        return f"of the patient, another client uses up the connections of the database{long}"


def _log_since(patient: Patient, size: int) -> bytes:
    """What PostgreSQL has logged after the first `size` bytes."""
    log = patient.control.folder.log(DATABASE)
    return log.read_bytes()[size:] if log.exists() else b""


def kill(down: float | timedelta | None = None) -> ClusterFault:
    """Kill the patient's database (SIGKILL)."""
    return cluster.kill(DATABASE_GROUP, down)


def freeze(for_: float | timedelta | None = None) -> ClusterFault:
    """Suspend the patient's database (SIGSTOP): connections stay open, and nothing is answered."""
    return cluster.freeze(DATABASE_GROUP, for_)


def fill_disk(for_: float | timedelta | None = None) -> FillDatabaseDisk:
    """The disk of the patient's PostgreSQL is full; it soon ends, and needs space before it can start again.

    The limit RLIMIT_FSIZE of its processes is lowered, so PostgreSQL says "File too large" where a real disk would be
    "No space left on device". A restart changes nothing: `devserver.rehearsal.cluster.free_disk` gives the space back.
    Linux only.
    """
    return FillDatabaseDisk(None if for_ is None else seconds(for_, "database.fill_disk"))


def exhaust_connections(for_: float | timedelta | None = None) -> ExhaustConnections:
    """Another client (`leaking-client`) takes every connection of the patient's PostgreSQL that is not reserved.

    The roles keep those that they have: it shows when they need new ones, such as at a restart. Three connections stay
    reserved for the administrator, who can end the client's.
    """
    return ExhaustConnections(None if for_ is None else seconds(for_, "database.exhaust_connections"))
