"""The patient of one run: its cluster, its workload, and what is done to it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Any

from ...cluster import Cassandra, Cluster, ClusterControl, Load, database_access
from ...cluster.errors import ClusterStartFailed, DatabaseRefused
from ...cluster.postgres_client import PostgresConnection
from ...errors import DevServerError
from ...system.files import write_private
from ..errors import FaultImpossible
from ..recovery.access import described
from ..recovery.counters import endpoints_of
from ..scenario.timeline import Timeline
from .error_samples import EVERY_SECONDS, ErrorSample, sample
from .held_connections import HeldConnections
from .load_driver import LoadDriver
from .member_logs import MemberLogs, OnLine
from .record import PatientRecord

LOOK_SECONDS = 0.2
CANARY_SECONDS = 30.0  # after matching was down, its clients come back only after 14 s
RING_CANARY_SECONDS = 40.0  # on Cassandra, where matching takes its time after an outage
UP = "running"
CONNECTIONS = "connections of the database"


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
        self._held = HeldConnections(control.folder)
        self._prepare(str(status["address"]), cluster.namespace, cluster.load, status)

    def _prepare(self, address: str, namespace: str, load: Load | None, status: dict[str, Any]) -> None:
        self.address = address
        self._load = LoadDriver(load, address, namespace) if load else None
        self._status = status
        self._spans: dict[str, int] = {}
        self._outages: dict[tuple[str, str], int] = {}
        self._watching: list[asyncio.Task[None]] = []
        self._logs = MemberLogs({}, _ignored)
        self._samples: list[ErrorSample] = []
        self._problem: str | None = None

    def environment(self) -> dict[str, str]:
        """Variables of the worker of the runbook."""
        return described(self.control, self.cluster, self.address)

    async def ask(self, kind: str, member: str, **facts: Any) -> dict[str, Any]:
        """Do something to a member or a role; the cluster's status afterwards.

        Raises:
            FaultImpossible: It cannot be done; says why.
        """
        try:
            self._status = await asyncio.to_thread(self.control.ask, kind, member=member, **facts)
        except DevServerError as error:
            raise FaultImpossible(error.message, details=error.details, hint=error.hint) from error
        if self._watching:
            self._look()  # at once: it may be up again before the next look
        return self._status

    def states(self) -> dict[str, str]:
        """The state of each member, as it was seen last."""
        return {member["name"]: member["state"] for member in self._status["members"]}

    async def restart(self, member: str) -> None:
        """Stop a member or a role gracefully, and start it again. It may not come back: that is no error here.

        Raises:
            FaultImpossible: It cannot be asked for.
        """
        try:
            await self.ask("restart", member)
        except FaultImpossible as error:
            if not isinstance(error.__cause__, ClusterStartFailed):
                raise
            self._status = await asyncio.to_thread(self.control.ask, "status")
            self._look()

    def write_dynamic_config(self, text: str) -> None:
        """Replace the dynamic configuration, valid or not."""
        write_private(self.control.folder.dynamic_config, text)

    # The database

    def connect(self, database: str) -> PostgresConnection:
        """A connection to one of the databases, as their administrator; see `database`."""
        return database_access.connect(self.control.folder, database)

    async def database(self, act: Callable[[Patient], None]) -> None:
        """Do something with the database in a thread.

        Raises:
            FaultImpossible: It refuses, or does not answer.
        """
        try:
            await asyncio.to_thread(act, self)
        except (DatabaseRefused, OSError) as error:
            raise FaultImpossible(f"the database cannot be reached: {error}") from error
        self._look()

    def take_connections(self) -> None:
        """Take every connection of the database that is not reserved."""
        self._held.take()

    def release_connections(self) -> None:
        """Give them back."""
        self._held.release()

    # The run

    async def begin(self, timeline: Timeline, on_line: OnLine) -> None:
        """Begin the workload, and note on the timeline when members are up; `on_line` gets each line of their logs."""
        self._timeline = timeline
        if self._load is not None:
            await self._load.begin()
        await self._follow(on_line)

    async def _follow(self, on_line: OnLine) -> None:
        names = [member["name"] for member in self._status["members"]]
        self._logs = MemberLogs({name: self.control.folder.log(name) for name in names}, on_line)
        await self._sample()
        self._look()
        self._watching = [asyncio.create_task(each) for each in (self._watch(), self._logs.follow(), self._count())]

    async def end(self, began: float) -> PatientRecord:
        """End the workload, see what became of it and whether the cluster is healthy.

        Args:
            began: The run's start, in seconds of the epoch.
        """
        if self._load is not None:
            await self._load.stop()
        self._problem = await self._canary()
        await self._sample()
        await self._logs.catch_up()
        if self._load is not None:
            await self._load.settle(broken=self._problem is not None)
        return self.record(began)

    def record(self, began: float) -> PatientRecord:
        """What is known so far."""
        return self._record(
            began, str(self.cluster), {member["name"]: member["starts"] for member in self._status["members"]}
        )

    def _record(self, began: float, cluster: str, starts: dict[str, int]) -> PatientRecord:
        load = self._load
        return PatientRecord(
            cluster=cluster,
            began=load.began - began if load else 0.0,
            ended=(load.ended or time.time()) - began if load else 0.0,
            calls=load.starts(began) if load else [],
            schedules=load.schedules(began) if load else [],
            problem=self._problem,
            logs=self._logs.lines,
            errors=tuple(self._samples),
            starts=starts,
        )

    async def close(self) -> None:
        """Stop looking, and end the workload."""
        if self._watching:
            self.release_connections()
        for task in self._watching:
            task.cancel()
        await asyncio.gather(*self._watching, return_exceptions=True)
        self._watching = []
        if self._load is not None and self._load.began:
            await self._load.close()

    async def _canary(self) -> str | None:
        """Why a workflow does not run at the end, or a member does not; None if all is well."""
        down = [f"{name} ({state})" for name, state in self.states().items() if state != UP]
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

    async def _count(self) -> None:
        """Count the errors of all processes from time to time."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            await self._sample()

    async def _sample(self) -> None:
        if endpoints := endpoints_of(self._status):
            self._samples.append(await sample(endpoints, self._timeline.now()))

    def _look(self) -> None:
        for member in self._status["members"]:
            name, up = member["name"], member["state"] == UP
            if up and name not in self._spans:
                self._spans[name] = self._timeline.note(name, "up", patient=True, version=member.get("version"))
            elif not up and name in self._spans:
                self._timeline.end(self._spans.pop(name), ended=member["exit"] or member["state"])
        for name in set(self._spans) - {member["name"] for member in self._status["members"]}:
            self._timeline.end(self._spans.pop(name), ended="removed")
        outages = set(self._status.get("outages", {}).items())
        if self._held.count:
            outages.add((CONNECTIONS, "used up"))
        for new in outages - set(self._outages):
            self._outages[new] = self._timeline.note(*new, patient=True, outage=True)
        for over in set(self._outages) - outages:
            self._timeline.end(self._outages.pop(over))


async def _ignored(line: str, member: str) -> None:
    """Before a run begins, nobody follows the logs."""
