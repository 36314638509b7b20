"""The process that supervises a cluster: it starts every member, watches them, and answers requests.

What it starts ends with it, whatever ends it. So a runbook's activity that restarts a role asks this process: the role
then survives the death of the runbook's worker.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import DevServerError
from ..system.filelocks import LockedFile
from ..system.files import write_private
from ..system.ports import Reservations
from ..system.signals import SignalWaiter
from . import full_disk, outage_requests, postgres_server
from .control_socket import ControlSocket
from .database_links import DatabaseLinks
from .declaration import DATABASE, Cluster
from .errors import ClusterRunning
from .folder import ClusterFolder, command
from .members import ClusterMember, ClusterMembers, environment
from .postgres_server import HOST, PASSWORD
from .role_config import HTTP, MEMBERSHIP, PORTS, MemberPorts, dynamic_config, member_config, role_of
from .serving import until_serving

LOCK_SECONDS = 3.0
WATCH_SECONDS = 1.0
SMALLINT = 2**15  # the schema of PostgreSQL has membership ports as a signed 16-bit number

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
        patient: Whether it is a rehearsal's patient: its database is behind proxies, and its data is not kept.
    """

    def __init__(
        self,
        folder: ClusterFolder,
        cluster: Cluster,
        executable: Path,
        template: Path,
        limit: float,
        on_event: OnEvent,
        *,
        patient: bool = False,
    ) -> None:
        self._folder = folder
        self._cluster = cluster
        self._executable = executable
        self._template = template
        self._limit = limit
        self._on_event = on_event
        self._patient = patient
        self._links = DatabaseLinks({}, 0)
        self._signals = SignalWaiter()
        self._reservations = Reservations(HOST)
        self._ports: dict[str, MemberPorts] = {}
        self._members = ClusterMembers([], folder, self._signals)
        self._lifeline: list[int] = []
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
        lock = LockedFile.acquire(self._folder.supervisor_lock, str(os.getpid()), limit=LOCK_SECONDS)
        if lock is None:
            raise ClusterRunning(
                f"the cluster {self._folder.name} is running already",
                hint=f"see it with: {command('status', self._folder.name)}",
            )
        self._lifeline = [lifeline] if lifeline >= 0 else []
        self._signals.listen()
        try:
            with lock, self._reservations:
                self._prepare(port)
                self._start_all()
                self._serve()
        finally:
            self._members.stop(list(self._members), "discarded" if self._patient else "stopped")
            self._links.close()
            self._signals.close()

    # Start

    def _prepare(self, port: int | None) -> None:
        """Reserve the ports, copy the database at the first start, write the configurations."""
        before: dict[str, Any] = {}
        with contextlib.suppress(DevServerError):
            before = self._folder.read().get("ports", {})
        take = self._reservations.take
        self._ports[DATABASE] = MemberPorts(take(None, before.get(DATABASE, {}).get("grpc"), "--port"))
        for member in self._cluster.roles.members():
            wanted = before.get(member, {})
            kinds = (*PORTS, HTTP) if role_of(member) == "frontend" else PORTS
            ports = {
                kind: take(port if (member, kind) == ("frontend-1", "grpc") else None, wanted.get(kind), "--port")
                for kind in kinds
                if kind != MEMBERSHIP
            }
            ports[MEMBERSHIP] = self._reservations.take_below(SMALLINT, wanted.get(MEMBERSHIP))
            self._ports[member] = MemberPorts(**ports)
        if self._patient:
            ports = {member: take(None, None, "--port") for member in self._cluster.roles.members()}
            self._links = DatabaseLinks(ports, self._ports[DATABASE].grpc)
            warnings.filterwarnings("ignore", message=".*multi-threaded, use of fork", category=DeprecationWarning)
        if not self._folder.database.exists():
            self._copy_template()
        self._write_files()

    def _copy_template(self) -> None:
        aside = self._folder.database.with_suffix(".new")
        shutil.rmtree(aside, ignore_errors=True)
        shutil.copytree(self._template / "data", aside)
        shutil.copyfile(self._template / PASSWORD, self._folder.path / PASSWORD)
        (self._folder.path / PASSWORD).chmod(0o600)
        aside.rename(self._folder.database)

    def _write_files(self) -> None:
        folder, cluster = self._folder, self._cluster
        password = (folder.path / PASSWORD).read_text()
        write_private(folder.dynamic_config, dynamic_config(cluster.dynamic_config))
        port = self._ports[DATABASE].grpc
        database = postgres_server.command(folder.database, port, cluster.database.connections)
        members = [ClusterMember(DATABASE, database, folder, environment())]
        for name in cluster.roles.members():
            ports = {**self._ports, DATABASE: self._links.ports(name) or self._ports[DATABASE]}
            text = member_config(cluster, name, ports, password, str(folder.dynamic_config))
            write_private(folder.config(name), text)
            words = [str(self._executable), "serve", str(folder.config(name)), role_of(name)]
            members.append(ClusterMember(name, words, folder, environment()))
        self._members = ClusterMembers(members, folder, self._signals, self._lifeline)
        folder.write(
            {
                "declaration": cluster.to_json(),
                "executable": str(self._executable),
                "template": str(self._template),
                "ports": {name: vars(ports) for name, ports in self._ports.items()},
            }
        )

    def _start_all(self) -> None:
        deadline = time.monotonic() + self._limit
        self._on_event({"note": f"starting {', '.join(member.name for member in self._members)} ..."})
        self._members.start(list(self._members), self._ports, deadline)
        frontend, name = self._ports["frontend-1"], self._folder.name
        until_serving(frontend.http, self._cluster.namespace, deadline, self._pause, name, self._limit)

    def _pause(self, seconds: float) -> None:
        self._members.require_alive()
        self._members.pause(seconds)

    def _reset(self, declaration: dict[str, Any]) -> None:
        """End all members at once, and start them with the data and the configuration of a new cluster."""
        self._cluster = Cluster.from_json(declaration)
        self._members.stop(list(self._members), "discarded")
        self._links.heal()
        full_disk.free(self._folder)
        postgres_server.discard(self._folder.database)
        for member in self._members:
            self._folder.log(member.name).unlink(missing_ok=True)
        self._copy_template()
        self._write_files()
        self._start_all()

    # Requests

    def _serve(self) -> None:
        with contextlib.closing(ControlSocket(self._folder, self._do)) as requests:
            self._on_event({"ready": self.status()})
            while self._signals.ending is None and not self._ended:
                ready = self._signals.sleep(WATCH_SECONDS, requests.fileno(), *self._lifeline)
                self._ended = self._ended or bool(set(self._lifeline) & set(ready))
                if requests.fileno() in ready and not self._ended:
                    requests.answer()
                for member in self._members:
                    member.look()

    def _do(self, request: dict[str, Any]) -> dict[str, Any]:
        kind = request["kind"]
        if kind == "down":
            self._ended = True
        elif kind == "reset":
            self._reset(request["declaration"])
        elif kind != "status":
            chosen = self._members.chosen(str(request["member"]))
            deadline = time.monotonic() + float(request.get("limit", self._limit))
            if kind in ("stop", "kill"):
                self._members.stop(chosen, "stopped" if kind == "stop" else "killed")
            elif kind in ("freeze", "thaw"):
                for member in chosen:
                    (member.freeze if kind == "freeze" else member.thaw)()
            elif kind in outage_requests.KINDS:
                outage_requests.perform(request, chosen, self._links, self._folder)
            elif kind in ("start", "restart"):
                if kind == "restart":
                    self._members.stop(chosen)
                self._members.start(chosen, self._ports, deadline)
        return self.status()

    def status(self) -> dict[str, Any]:
        """`name`, `address`, `namespace`, `version`, `state` (`ready`: every member runs), `outages`, `members`."""
        frontend = self._ports["frontend-1"]
        members = [member.to_json() for member in self._members]
        return {
            "name": self._folder.name,
            "state": "ready" if all(member["state"] == "running" for member in members) else "degraded",
            "address": f"{HOST}:{frontend.grpc}",
            "namespace": self._cluster.namespace,
            "version": self._cluster.version,
            "shards": self._cluster.shards,
            "folder": str(self._folder.path),
            "pid": os.getpid(),
            "outages": outage_requests.outages(self._links, self._folder),
            "members": [{**member, "ports": self._ports_of(member["name"])} for member in members],
        }

    def _ports_of(self, member: str) -> dict[str, int]:
        return {kind: number for kind, number in vars(self._ports[member]).items() if number}
