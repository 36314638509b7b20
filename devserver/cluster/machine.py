"""The process that supervises a cluster: it starts every member, watches them, and answers requests.

What it starts ends with it, whatever ends it. So a runbook's activity that restarts a role asks this process: the role
then survives the death of the runbook's worker.
"""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from typing import Any

from ..errors import DevServerError
from ..system.files import write_private
from ..system.ports import Reservations
from ..system.signals import SignalWaiter
from . import database_access, full_disk, outage_requests, ports, postgres_server, postgres_template
from .control_socket import ControlSocket
from .database_links import DatabaseLinks
from .declaration import DATABASE, Cluster
from .errors import MemberUnknown
from .folder import ClusterFolder
from .isolation.own_network import OwnNetwork
from .member import ClusterMember
from .members import POLL_SECONDS, PROCESS_KINDS, ClusterMembers
from .postgres_server import HOST
from .ring.requests import RingRequests
from .ring.ring import Ring
from .role_config import MemberPorts, dynamic_config, write_configs
from .role_versions import RoleVersions
from .serving import until_serving
from .status import status_of

WATCH_SECONDS = 1.0

OnEvent = Callable[[dict[str, Any]], None]


class ClusterMachine:
    """Runs one cluster until it is asked to end.

    Args:
        folder: The cluster's folder.
        cluster: The declaration.
        executable: The executable with all roles.
        template: The folder with a database that has the schema, copied at the first start.
        limit: Seconds for the start.
        on_event: Receives `{"note": text}`, then `{"ready": status}`.
        ring: Its Cassandra nodes; None if PostgreSQL is its database.
        patient: Whether it is a rehearsal's patient, whose data is not kept.
        proxies: Whether its members reach PostgreSQL through proxies, which can be cut.
    """

    def __init__(
        self,
        folder: ClusterFolder,
        cluster: Cluster,
        executable: Path,
        template: Path,
        limit: float,
        on_event: OnEvent,
        ring: Ring | None = None,
        *,
        patient: bool = False,
        proxies: bool = False,
    ) -> None:
        self._folder = folder
        self._cluster = cluster
        self._versions = RoleVersions(folder, cluster.version, executable)
        self._template = template
        self._limit = limit
        self._on_event = on_event
        self._signals = SignalWaiter()
        self._reservations = Reservations(HOST)
        self._ports: dict[str, MemberPorts] = {}
        self._members = ClusterMembers([], folder, self._signals)
        self._patient, self._proxies = patient, proxies
        self._links = DatabaseLinks({}, 0)
        self._ring = ring
        self._network = OwnNetwork()
        self._requests: RingRequests | None = None
        self._lifeline: list[int] = []
        self._before = ""  # the version that served with the data, until this one does; empty for new data
        self._ended = False

    def run(self, port: int | None = None, lifeline: int = -1) -> None:
        """Start the cluster, and run it to its end.

        Args:
            port: The port of its first frontend; None: that of the last time, or any.
            lifeline: A descriptor whose end of file ends the cluster; -1: none.

        Raises:
            ClusterRunning: Another process runs it.
            ClusterStartFailed: A member does not start.
        """
        lock = self._folder.supervise()
        self._lifeline = [lifeline] if lifeline >= 0 else []
        self._signals.listen()
        try:
            with lock, self._reservations:
                try:
                    self._prepare(port)
                    self._start_all()
                    self._serve()
                finally:
                    self._members.stop(list(self._members), "discarded" if self._patient else "stopped")
                    self._links.close()
                    self._network.close()
        finally:
            self._signals.close()

    # Start

    def _prepare(self, port: int | None) -> None:
        """Reserve the ports, copy the database at the first start, write the configurations."""
        before: dict[str, Any] = {}
        with contextlib.suppress(DevServerError):
            record = self._folder.read()
            before, self._before = record.get("ports", {}), str(record.get("served", ""))
        self._ports = ports.reserved(self._cluster, self._reservations, before, port)
        links = ports.reserved_links(self._cluster, self._reservations) if self._proxies else {}
        if self._ring is not None:
            self._network.enter(port for each in self._ports.values() for port in (each.grpc, each.metrics, each.http))
            self._ring.hosts = self._network.hosts
            self._ring.copy_template()
        self._links = DatabaseLinks(links, self._ports[DATABASE].grpc)  # has threads, so it enters no namespace
        if not self._folder.database.exists():
            postgres_template.copy_template(self._template, self._folder.path)
        self._declare_members()

    def _declare_members(self) -> None:
        folder, cluster = self._folder, self._cluster
        write_private(folder.dynamic_config, dynamic_config(cluster.dynamic_config))
        port = self._ports[DATABASE].grpc
        words = postgres_server.command(folder.database, port, cluster.database.connections)
        accepts = functools.partial(postgres_server.accepts, port)
        members = [ClusterMember(DATABASE, words, folder, accepts, f"its port {port}")]
        if self._ring is not None:
            members += [self._ring.member(number) for number in self._ring.numbers]
        for name in cluster.roles.members():
            members.append(self._versions.member(name, cluster.version, self._ports[name].grpc))
        self._members = ClusterMembers(members, folder, self._signals, self._lifeline)
        if self._ring is not None:
            self._requests = RingRequests(self._ring, self._members, self._write_files)
        self._write_files()

    def _write_files(self) -> None:
        """Write the configurations of the roles, and the record."""
        folder, cluster = self._folder, self._cluster
        nodes = self._ring.addresses if self._ring is not None else ()
        write_configs(folder, cluster, self._ports, self._links.ports, nodes)
        declared, executable = self._versions.current(cluster, self._members)
        folder.write(
            {
                "declaration": declared.to_json(),
                "executable": str(executable),
                "served": self._before or declared.version,
                "ports": {name: vars(each) for name, each in self._ports.items()},
                **({"nodes": self._ring.numbers} if self._ring is not None else {}),
            }
        )

    def _start_all(self) -> None:
        deadline = time.monotonic() + self._limit
        self._on_event({"note": f"starting {', '.join(member.name for member in self._members)} ..."})
        if self._before:
            self._start(self._members.chosen(DATABASE), deadline)
            database_access.require_schema(self._folder, self._before)
        self._start(self._members, deadline)
        http, name = self._ports["frontend-1"].http, self._folder.name
        until_serving(http, self._cluster.namespace, deadline, self._pause, name, self._limit)
        if self._before:
            self._before = ""
            self._write_files()

    def _start(self, members: Iterable[ClusterMember], deadline: float) -> None:
        for _ in self._members.starting(members, deadline):
            self._pause(POLL_SECONDS)

    def _pause(self, seconds: float) -> None:
        self._members.require_alive()
        self._members.pause(seconds)

    def _reset(self, declaration: dict[str, Any]) -> None:
        """End all members at once, and start them with the data and the configuration of a new cluster."""
        self._cluster, self._before = Cluster.from_json(declaration), ""
        self._members.stop(list(self._members), "discarded")
        self._links.heal()
        full_disk.free(self._folder)
        postgres_server.discard(self._folder.database)
        for member in self._members:
            self._folder.log(member.name).unlink(missing_ok=True)
        if self._ring is not None:
            self._ring.reset()
        postgres_template.copy_template(self._template, self._folder.path)
        self._declare_members()
        self._start_all()

    # Requests

    def _serve(self) -> None:
        with contextlib.closing(ControlSocket(self._folder, self._do)) as requests:
            self._on_event({"ready": self.status()})
            while self._signals.ending is None and not self._ended:
                pause = POLL_SECONDS if requests.busy else WATCH_SECONDS
                ready = self._signals.sleep(pause, requests.fileno(), *self._lifeline)
                self._ended = self._ended or bool(set(self._lifeline) & set(ready))
                if requests.fileno() in ready and not self._ended:
                    requests.accept()
                requests.work()
                for member in self._members:
                    member.look()

    def _do(self, request: dict[str, Any]) -> Generator[None, None, dict[str, Any]]:
        kind = request["kind"]
        more: dict[str, Any] = {}
        if kind == "down":
            self._ended = True
        elif kind == "reset":
            self._reset(request["declaration"])
        elif kind in PROCESS_KINDS:
            if request.get("version"):
                self._versions.use(self._members.chosen(str(request["member"])), str(request["version"]))
                self._write_files()
            yield from self._members.change(kind, str(request["member"]), self._deadline(request))
        elif kind in outage_requests.KINDS:
            outage_requests.perform(request, self._members.chosen(str(request["member"])), self._links, self._folder)
        elif kind != "status":
            more = yield from self._ring_request(kind, request)
        return {**self.status(), **more}

    def _ring_request(self, kind: str, request: dict[str, Any]) -> Generator[None, None, dict[str, Any]]:
        if self._requests is None or kind not in self._requests.kinds:
            raise MemberUnknown(
                f"the cluster {self._folder.name} has no Cassandra: {kind} is not possible",
                hint="start one with: devserver cluster up --database cassandra --cluster NAME",
            )
        return (yield from self._requests.kinds[kind](request, self._deadline(request)))

    def _deadline(self, request: dict[str, Any]) -> float:
        return time.monotonic() + float(request.get("limit", self._limit))

    def status(self) -> dict[str, Any]:
        """The cluster and its members, as JSON; see `status_of`."""
        cluster = self._versions.current(self._cluster, self._members)[0]
        return status_of(self._folder, cluster, self._members, self._ports, self._links, self._requests)
