"""The patient of one run, from its start to its end."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from ...cluster import Cluster, ExternalCluster
from .external_patient import ExternalPatient
from .patient import Patient
from .pool import PatientPool


@contextlib.asynccontextmanager
async def running_patient(
    cluster: Cluster | ExternalCluster | None, pool: PatientPool
) -> AsyncIterator[Patient | None]:
    """A scenario's patient for one run, with the data of a new cluster; None without one.

    Raises:
        DevServerError: What it needs is not on this machine, or it does not start.
    """
    if cluster is None:
        yield None
        return
    if isinstance(cluster, ExternalCluster):
        external = ExternalPatient(cluster)
        try:
            yield external
        finally:
            await external.close()
        return
    async with pool.borrowed(cluster) as (control, status):
        patient = Patient(cluster, control, status)
        try:
            yield patient
        finally:
            await patient.close()
