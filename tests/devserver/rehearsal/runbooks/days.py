"""A rollout over twenty clusters that takes days: one at a time, each with six hours without alerts."""

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
    """Upgrade a cluster if it is not upgraded yet."""
    done = Path(os.environ[ledger.FILE]).with_name(f"{cluster}.upgraded")
    if not done.exists():
        done.touch()
        ledger.effect("upgrade", key=cluster)


@activity.defn
async def roll_back(cluster: str) -> None:
    """Undo an upgrade."""
    Path(os.environ[ledger.FILE]).with_name(f"{cluster}.upgraded").unlink(missing_ok=True)
    ledger.effect("roll_back", key=cluster)


@activity.defn
async def is_quiet(cluster: str) -> bool:
    """Query the monitor, which fires once."""
    fired = Path(os.environ[ledger.FILE]).with_name("fired")
    if cluster == LOUD and not fired.exists():
        fired.touch()
        return False
    ledger.effect("quiet", key=cluster)
    return True


class Waves:
    """The common part of both rollouts."""

    heeds_alarms = True

    def __init__(self) -> None:
        self.alarms: set[str] = set()

    async def roll_out(self, clusters: int) -> float:
        """Return the hours it took."""
        began = workflow.now()
        for number in range(1, clusters + 1):
            cluster = f"cluster-{number}"
            while not await self._settled(cluster):
                await workflow.execute_activity(roll_back, cluster, start_to_close_timeout=LIMIT, retry_policy=SOON)
                self.alarms.discard(cluster)
        return (workflow.now() - began) / timedelta(hours=1)

    async def _settled(self, cluster: str) -> bool:
        """Upgrade a cluster; return whether there was no alert for six hours."""
        await workflow.execute_activity(upgrade, cluster, start_to_close_timeout=LIMIT, retry_policy=SOON)
        try:
            await workflow.wait_condition(lambda: self.heeds_alarms and cluster in self.alarms, timeout=QUIET)
        except asyncio.TimeoutError:
            quiet = await workflow.execute_activity(is_quiet, cluster, start_to_close_timeout=LIMIT, retry_policy=SOON)
            return quiet or not self.heeds_alarms
        return False


@workflow.defn
class Rollout(Waves):
    """Undo an upgrade when a monitor fires, and try again."""

    @workflow.run
    async def run(self, clusters: int) -> float:
        """Return the hours it took."""
        return await self.roll_out(clusters)

    @workflow.signal
    def alarm(self, cluster: str) -> None:
        """Handle an alert of the cluster's monitor."""
        self.alarms.add(cluster)


@workflow.defn
class Approved:
    """Wait for an approval, which expires after half a day."""

    def __init__(self) -> None:
        self.approved = False

    @workflow.run
    async def run(self) -> None:
        """Fail if the approval is late."""
        began = workflow.now()
        await workflow.wait_condition(lambda: self.approved)
        if workflow.now() - began > timedelta(hours=12):
            raise ApplicationError("the approval came too late", type="Late")

    @workflow.signal
    def approve(self) -> None:
        """Approve."""
        self.approved = True


@workflow.defn
class Reckless(Waves):
    """Ignore all monitors."""

    heeds_alarms = False

    @workflow.run
    async def run(self, clusters: int) -> float:
        """Return the hours it took."""
        return await self.roll_out(clusters)

    @workflow.signal
    def alarm(self, cluster: str) -> None:
        """Ignore the alert."""
        self.alarms.add(cluster)
