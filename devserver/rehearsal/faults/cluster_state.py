"""Faults of the patient's configuration and schema. Most show only when a member restarts."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from ...cluster import database_access
from ...cluster.declaration import Cluster
from ...cluster.role_config import dynamic_config
from ..environment.run_context import RunContext
from ..patient.patient import Patient
from .patient_fault import PatientFault, Rest, require_postgres

SHOWN = 60


@dataclass(frozen=True)
class DynamicConfig(PatientFault):
    """The dynamic configuration is replaced."""

    text: str

    async def harm(self, context: RunContext, patient: Patient) -> Rest | None:
        """Write the file."""
        await asyncio.to_thread(patient.write_dynamic_config, self.text)
        return None

    def __str__(self) -> str:
        line = " ".join(self.text.split())
        return f"of the patient, the dynamic configuration becomes {line[:SHOWN]!r}{'...' if line[SHOWN:] else ''}"


@dataclass(frozen=True)
class RateLimit(PatientFault):
    """The frontends allow fewer requests."""

    rps: int

    async def harm(self, context: RunContext, patient: Patient) -> Rest | None:
        """Write the file, with the values of the declaration."""
        limits = {"frontend.namespaceRPS": self.rps, "frontend.globalNamespaceRPS": self.rps}
        text = dynamic_config({**patient.cluster.dynamic_config, **limits})
        await asyncio.to_thread(patient.write_dynamic_config, text)
        return None

    def __str__(self) -> str:
        return (
            f"of the patient, each frontend allows {self.rps} requests per second (from the next minute or restart on)"
        )


@dataclass(frozen=True)
class SchemaBehind(PatientFault):
    """The schema is a version older than the binary."""

    def check_patient(self, name: str, patient: Cluster) -> None:
        """Check that the database is PostgreSQL."""
        require_postgres(self, name, patient)

    async def harm(self, context: RunContext, patient: Patient) -> Rest | None:
        """Set the version back."""
        await patient.database(lambda patient: database_access.set_schema_back(patient.control.folder))
        return None

    def __str__(self) -> str:
        return "of the patient, the schema is one version behind the binary"
