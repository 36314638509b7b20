"""The runbook that upgrades a fleet of clusters, one a day: watch each for six hours, roll it back if unhealthy.

It runs for weeks. Monitors send a signal, and an operator queries the progress.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.common import RetryPolicy

from devserver.rehearsal import ledger

with workflow.unsafe.imports_passed_through():
    from fleet import Fleet

WATCH = timedelta(hours=6)
DAY = timedelta(days=1)


@dataclass
class Upgrade:
    """The clusters to upgrade, and the version."""

    clusters: list[str]
    version: int


@dataclass
class Progress:
    """The clusters with the new version, and the clusters that were rolled back."""

    upgraded: list[str] = field(default_factory=list)
    taken_back: list[str] = field(default_factory=list)


@activity.defn
def install(cluster: str, version: int) -> int:
    """Set the version of a cluster; returns its previous version."""
    fleet = Fleet.here()
    before = fleet.versions[cluster]
    if before != version:
        fleet.install(cluster, version)
        ledger.effect(f"install version {version}", key=cluster)
    return before


@workflow.defn
class UpgradeFleet:
    """Upgrade one cluster a day."""

    def __init__(self) -> None:
        self.progress = Progress()
        self.unwell: set[str] = set()

    @workflow.run
    async def run(self, wanted: Upgrade) -> Progress:
        """The result."""
        for cluster in wanted.clusters:
            began = workflow.now()
            await self._install(cluster, wanted.version)
            if await self._quiet(cluster):
                self.progress.upgraded.append(cluster)
            else:
                await self._install(cluster, wanted.version - 1)
                self.progress.taken_back.append(cluster)
            if cluster != wanted.clusters[-1]:
                await workflow.sleep(began + DAY - workflow.now())
        return self.progress

    @workflow.signal
    def monitor_fired(self, cluster: str) -> None:
        """A monitor reports an unhealthy cluster."""
        self.unwell.add(cluster)

    @workflow.query
    def how_far(self) -> Progress:
        """The progress so far."""
        return self.progress

    async def _quiet(self, cluster: str) -> bool:
        """Watch a cluster; returns whether its monitors were quiet."""
        try:
            await workflow.wait_condition(lambda: cluster in self.unwell, timeout=WATCH)
        except asyncio.TimeoutError:
            return True
        return False

    async def _install(self, cluster: str, version: int) -> None:
        await workflow.execute_activity(
            install,
            args=[cluster, version],
            start_to_close_timeout=timedelta(seconds=1),
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=100)),
        )
