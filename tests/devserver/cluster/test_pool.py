"""The clusters of patients: made once, reset between runs, apart from those of others; the roles are fake."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from devserver.cluster import Cluster, roles
from devserver.rehearsal.patient.pool import PatientPool
from tests.devserver.cluster.conftest import SMALL

pytestmark = pytest.mark.slow


def test_two_rehearsals_at_once(roles_folder: Path, tmp_path: Path) -> None:
    """Each has a cluster of its own, which its next run gets with new data; another declaration replaces it."""

    async def addresses(pool: PatientPool, *clusters: Cluster) -> list[str]:
        found = []
        for cluster in clusters:
            async with pool.borrowed(cluster) as (control, status):
                found.append(status["address"])
                await asyncio.to_thread(control.ask, "kill", member="history")
        return found

    async def both() -> list[list[str]]:
        async with PatientPool(tmp_path / "first") as first, PatientPool(tmp_path / "second") as second:
            other = Cluster(roles=roles(history=1))
            return list(await asyncio.gather(addresses(first, SMALL, SMALL, other), addresses(second, SMALL)))

    (one, again, another), (elsewhere,) = asyncio.run(both())
    assert one == again
    assert len({one, another, elsewhere}) == 3
    assert not list(tmp_path.glob("*/_clusters/patient-*/"))
