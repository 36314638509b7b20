"""A rollout over twenty clusters that takes days: one after the other, each with six hours of quiet monitors."""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta
from pathlib import Path

from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError

from devserver.rehearsal import ledger

LIMIT = timedelta(seconds=10)
SOON = RetryPolicy(initial_interval=timedelta(seconds=1))
QUIET = timedelta(hours=6)
LOUD = "cluster-7"  # whose monitor fires once


@activity.defn
async def upgrade(cluster: str) -> None:
    """Upgrade a cluster, unless it is upgraded."""
    done = Path(os.environ[ledger.FILE]).with_name(f"{cluster}.upgraded")
    if not done.exists():
        done.touch()
        ledger.effect("upgrade", key=cluster)


@activity.defn
async def roll_back(cluster: str) -> None:
    """Take an upgrade back."""
    Path(os.environ[ledger.FILE]).with_name(f"{cluster}.upgraded").unlink(missing_ok=True)
    ledger.effect("roll_back", key=cluster)


@activity.defn
async def is_quiet(cluster: str) -> bool:
    """Ask the monitor; one fires once."""
    fired = Path(os.environ[ledger.FILE]).with_name("fired")
    if cluster == LOUD and not fired.exists():
        fired.touch()
        return False
    ledger.effect("quiet", key=cluster)
    return True


class Waves:
    """What both rollouts have in common."""

    heeds_alarms = True

    def __init__(self) -> None:
        self.alarms: set[str] = set()

    async def roll_out(self, clusters: int) -> float:
        """The hours that it took."""
        began = workflow.now()
        for number in range(1, clusters + 1):
            cluster = f"cluster-{number}"
            while not await self._settled(cluster):
                await workflow.execute_activity(roll_back, cluster, start_to_close_timeout=LIMIT, retry_policy=SOON)
                self.alarms.discard(cluster)
        return (workflow.now() - began) / timedelta(hours=1)

    async def _settled(self, cluster: str) -> bool:
        """Upgrade it, and whether all is quiet for six hours."""
        await workflow.execute_activity(upgrade, cluster, start_to_close_timeout=LIMIT, retry_policy=SOON)
        try:
            await workflow.wait_condition(lambda: self.heeds_alarms and cluster in self.alarms, timeout=QUIET)
        except asyncio.TimeoutError:
            quiet = await workflow.execute_activity(is_quiet, cluster, start_to_close_timeout=LIMIT, retry_policy=SOON)
            return quiet or not self.heeds_alarms
        return False


@workflow.defn
class Rollout(Waves):
    """Takes an upgrade back where a monitor fires, and tries again."""

    @workflow.run
    async def run(self, clusters: int) -> float:
        """The hours that it took."""
        return await self.roll_out(clusters)

    @workflow.signal
    def alarm(self, cluster: str) -> None:
        """A monitor of the cluster has fired."""
        self.alarms.add(cluster)


@workflow.defn
class Approved:
    """Waits for an approval, which is void after half a day."""

    def __init__(self) -> None:
        self.approved = False

    @workflow.run
    async def run(self) -> None:
        """Fails where it comes late."""
        began = workflow.now()
        await workflow.wait_condition(lambda: self.approved)
        if workflow.now() - began > timedelta(hours=12):
            raise ApplicationError("the approval came too late", type="Late")

    @workflow.signal
    def approve(self) -> None:
        """Go on."""
        self.approved = True


@workflow.defn
class Reckless(Waves):
    """Goes on whatever the monitors say."""

    heeds_alarms = False

    @workflow.run
    async def run(self, clusters: int) -> float:
        """The hours that it took."""
        return await self.roll_out(clusters)

    @workflow.signal
    def alarm(self, cluster: str) -> None:
        """Nobody listens."""
        self.alarms.add(cluster)
