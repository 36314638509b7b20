"""The patient of one run: its cluster, its workload, and what is done to it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...cluster import Cassandra, Cluster, ClusterControl
from ...cluster.control import start_seconds
from ...errors import DevServerError
from ...system.paths import Paths
from ...system.threads import async_block
from ..cluster import VARIABLE
from ..errors import FaultImpossible
from ..scenario.timeline import Timeline
from .load_driver import LoadDriver
from .record import PatientRecord

NAME = "patient"
START_FACTOR = 2  # a rehearsal runs beside other work
LOOK_SECONDS = 0.2
CANARY_SECONDS = 10.0
RING_CANARY_SECONDS = 40.0  # on Cassandra, where matching takes its time after an outage
UP = "running"


class Patient:
    """A running cluster that belongs to one run.

    Attributes:
        cluster: Its declaration.
        control: The way to its members.
        address: HOST:PORT of its first frontend.
    """

    def __init__(self, cluster: Cluster, control: ClusterControl, status: dict[str, Any]) -> None:
        self.cluster = cluster
        self.control = control
        self.address = str(status["address"])
        self._load = LoadDriver(cluster.load, self.address, cluster.namespace) if cluster.load else None
        self._status = status
        self._spans: dict[str, int] = {}
        self._watching: asyncio.Task[None] | None = None
        self._problem: str | None = None

    def environment(self) -> dict[str, str]:
        """What the worker of the runbook gets: `DEVSERVER_PATIENT`, JSON with `address`, `namespace`, `cluster` (the
        name) and `data` (the folder of `ClusterControl`), for `devserver.rehearsal.cluster`.
        """
        found = {
            "address": self.address,
            "namespace": self.cluster.namespace,
            "cluster": self.control.folder.name,
            "data": str(self.control.folder.paths.data),
        }
        return {VARIABLE: json.dumps(found)}

    async def ask(self, kind: str, member: str) -> dict[str, Any]:
        """Do something to a member or a role; the cluster's status afterwards.

        Raises:
            FaultImpossible: It cannot be done; says why.
        """
        try:
            self._status = await asyncio.to_thread(self.control.ask, kind, member=member)
        except DevServerError as error:
            raise FaultImpossible(error.message, details=error.details, hint=error.hint) from error
        if self._watching is not None:
            self._look()  # at once: it may be up again before the next look
        return self._status

    # The run

    async def begin(self, timeline: Timeline) -> None:
        """Begin the workload, and note on the timeline when members are up."""
        self._timeline = timeline
        if self._load is not None:
            await self._load.begin()
        self._look()
        self._watching = asyncio.create_task(self._watch())

    async def end(self, began: float) -> PatientRecord:
        """End the workload, see what became of it and whether the cluster is healthy.

        Args:
            began: The run's start, in seconds of the epoch.
        """
        if self._load is not None:
            await self._load.stop()
        self._problem = await self._canary()
        if self._load is not None:
            await self._load.settle()
        return self.record(began)

    def record(self, began: float) -> PatientRecord:
        """What is known so far."""
        load = self._load
        return PatientRecord(
            cluster=str(self.cluster),
            began=load.began - began if load else 0.0,
            ended=(load.ended or time.time()) - began if load else 0.0,
            calls=load.relative(began) if load else [],
            problem=self._problem,
            starts={member["name"]: member["starts"] for member in self._status["members"]},
        )

    async def close(self) -> None:
        """Stop looking, and end the workload."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
            self._watching = None
        if self._load is not None and self._load.began:
            await self._load.close()

    async def _canary(self) -> str | None:
        """Why a workflow does not run at the end, or a member does not; None if all is well."""
        down = [f"{member['name']} ({member['state']})" for member in self._status["members"] if member["state"] != UP]
        if down:
            return f"not running: {', '.join(down)}"
        if self._load is None:
            return None
        ring = isinstance(self.cluster.database, Cassandra)
        return await self._load.canary(RING_CANARY_SECONDS if ring else CANARY_SECONDS)

    async def _watch(self) -> None:
        """Follow the states of the members, also when the runbook changes them."""
        while True:
            with contextlib.suppress(DevServerError):
                self._status = await asyncio.to_thread(self.control.ask, "status")
            self._look()
            await asyncio.sleep(LOOK_SECONDS)

    def _look(self) -> None:
        for member in self._status["members"]:
            name, up = member["name"], member["state"] == UP
            if up and name not in self._spans:
                self._spans[name] = self._timeline.note(name, "up", patient=True)
            elif not up and name in self._spans:
                self._timeline.end(self._spans.pop(name), ended=member["exit"] or member["state"])
        for name in set(self._spans) - {member["name"] for member in self._status["members"]}:
            self._timeline.end(self._spans.pop(name), ended="removed")


@contextlib.asynccontextmanager
async def running_patient(cluster: Cluster | None, folder: Path) -> AsyncIterator[Patient | None]:
    """Start a scenario's patient for one run, in `folder`; None without one. Nothing is left of it afterwards.

    Raises:
        DevServerError: What it needs is not on this machine, or it does not start.
    """
    if cluster is None:
        yield None
        return
    control = ClusterControl(NAME, replace(Paths.default(), data=folder / "patient"))
    async with async_block(control.started(cluster, limit=START_FACTOR * start_seconds(cluster))) as status:
        patient = Patient(cluster, control, status)
        try:
            yield patient
        finally:
            await patient.close()
    await asyncio.to_thread(control.delete)
