"""The process that supervises a cluster: it starts every member, watches them, and answers requests.

What it starts ends with it, whatever ends it. So a runbook's activity that restarts a role asks this process: the role
then survives the death of the runbook's worker.
"""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import socket
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

from ..config.option_values import SYSTEM_NAMESPACE
from ..errors import DevServerError
from ..server.http_api import HttpApi, NotAnswering
from ..system.filelocks import LockedFile
from ..system.files import write_private
from ..system.ports import Reservations
from ..system.signals import SignalWaiter
from . import postgres_server
from .control_socket import ControlSocket
from .declaration import DATABASE, Cluster
from .errors import ClusterRunning, ClusterStartFailed, MemberUnknown
from .folder import ClusterFolder, command
from .isolation.host_networks import address_of
from .isolation.own_network import OwnNetwork
from .member import ClusterMember
from .members import POLL_SECONDS, ClusterMembers
from .postgres_server import HOST, PASSWORD
from .ring.node_server import CQL_PORT, NODE
from .ring.requests import RingRequests
from .ring.ring import Ring
from .role_config import HTTP, MEMBERSHIP, PORTS, MemberPorts, dynamic_config, member_config, role_of

LOCK_SECONDS = 3.0
CANARY_SECONDS = 2.0  # a call that is swallowed at the start comes back only at its deadline
CANARY = "devserver-canary"
RETENTION = 86400
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
        ring: Its Cassandra nodes; None if PostgreSQL is its database.
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
    ) -> None:
        self._folder = folder
        self._cluster = cluster
        self._executable = executable
        self._template = template
        self._limit = limit
        self._on_event = on_event
        self._signals = SignalWaiter()
        self._reservations = Reservations(HOST)
        self._ports: dict[str, MemberPorts] = {}
        self._members = ClusterMembers([], folder, self._signals)
        self._ring = ring
        self._network = OwnNetwork()
        self._requests: RingRequests | None = None
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
                try:
                    self._prepare(port)
                    self._start_all()
                    self._serve()
                finally:
                    self._members.stop(list(self._members))
                    self._network.close()
        finally:
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
        if self._ring is not None:
            self._network.enter(port for each in self._ports.values() for port in (each.grpc, each.metrics, each.http))
            self._ring.hosts = self._network.hosts
            self._ring.copy_template()
        if not self._folder.database.exists():
            self._copy_template()
        self._declare_members()

    def _copy_template(self) -> None:
        aside = self._folder.database.with_suffix(".new")
        shutil.rmtree(aside, ignore_errors=True)
        shutil.copytree(self._template / "data", aside)
        shutil.copyfile(self._template / PASSWORD, self._folder.path / PASSWORD)
        (self._folder.path / PASSWORD).chmod(0o600)
        aside.rename(self._folder.database)

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
            words = [str(self._executable), "serve", str(folder.config(name)), role_of(name)]
            port = self._ports[name].grpc
            members.append(ClusterMember(name, words, folder, functools.partial(_listens, port), f"its port {port}"))
        self._members = ClusterMembers(members, folder, self._signals, self._lifeline)
        if self._ring is not None:
            self._requests = RingRequests(self._ring, self._members, self._write_files)
        self._write_files()

    def _write_files(self) -> None:
        """Write the configurations of the roles, and the record."""
        folder, cluster = self._folder, self._cluster
        password = (folder.path / PASSWORD).read_text()
        nodes = self._ring.addresses if self._ring is not None else ()
        for name in cluster.roles.members():
            text = member_config(cluster, name, self._ports, password, str(folder.dynamic_config), nodes)
            write_private(folder.config(name), text)
        folder.write(
            {
                "declaration": cluster.to_json(),
                "executable": str(self._executable),
                "ports": {name: vars(ports) for name, ports in self._ports.items()},
                **({"nodes": self._ring.numbers} if self._ring is not None else {}),
            }
        )

    def _start_all(self) -> None:
        deadline = time.monotonic() + self._limit
        self._on_event({"note": f"starting {', '.join(member.name for member in self._members)} ..."})
        for _ in self._members.starting(self._members, deadline, together=True):
            self._members.pause(POLL_SECONDS)
        self._until_serving(deadline)

    def _until_serving(self, deadline: float) -> None:
        """Wait until the namespace exists and a workflow can be started."""
        api = HttpApi(HOST, self._ports["frontend-1"].http, limit=CANARY_SECONDS)
        problem = "it does not answer"
        while time.monotonic() < deadline:
            self._members.require_alive()
            try:
                api.ensure_namespace(self._cluster.namespace, RETENTION)
                problem = self._canary(api) or api.problem(self._cluster.namespace) or ""
                if not problem:
                    return
            except (NotAnswering, DevServerError) as error:
                problem = str(error).splitlines()[0]
            self._members.pause(POLL_SECONDS)
        raise ClusterStartFailed(
            f"every process of the cluster runs, and no workflow can be started within {self._limit:g} s: {problem}",
            hint=f"see the logs with: {command('logs', self._folder.name)} history-1; on a busy machine give --timeout",
        )

    def _canary(self, api: HttpApi) -> str | None:
        """Start a workflow that nobody runs, in the server's own namespace; why it cannot be started."""
        path = f"/api/v1/namespaces/{SYSTEM_NAMESPACE}/workflows/{CANARY}-{os.getpid()}-{time.monotonic_ns()}"
        body = {"workflowType": {"name": CANARY}, "taskQueue": {"name": CANARY}, "workflowExecutionTimeout": "1s"}
        status, answer = api.call("POST", path, body)
        return None if status == 200 else str(answer.get("message", f"HTTP {status}"))

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
        deadline = time.monotonic() + float(request.get("limit", self._limit))
        more: dict[str, Any] = {}
        if kind == "down":
            self._ended = True
        elif self._requests is not None and kind in self._requests.kinds:
            more = yield from self._requests.kinds[kind](request, deadline)
        elif kind in ("stop", "kill", "restart", "start", "freeze", "thaw"):
            chosen = self._members.chosen(str(request["member"]))
            if kind in ("stop", "kill", "restart"):
                yield from self._members.stopping(chosen, "killed" if kind == "kill" else "stopped")
            if kind in ("start", "restart"):
                yield from self._members.starting(chosen, deadline)
            if kind in ("freeze", "thaw"):
                for member in chosen:
                    (member.freeze if kind == "freeze" else member.thaw)()
        elif kind != "status":
            raise MemberUnknown(
                f"the cluster {self._folder.name} has no Cassandra: {kind} is not possible",
                hint="start one with: devserver cluster up --database cassandra --cluster NAME",
            )
        return {**self.status(), **more}

    def status(self) -> dict[str, Any]:
        """`name`, `address`, `namespace`, `version`, `state` (`ready` while every member runs), `members`."""
        frontend = self._ports["frontend-1"]
        members = [self._shown(member) for member in self._members]
        return {
            "name": self._folder.name,
            "state": "ready" if all(member["state"] == "running" for member in members) else "degraded",
            "address": f"{HOST}:{frontend.grpc}",
            "namespace": self._cluster.namespace,
            "version": self._cluster.version,
            "shards": self._cluster.shards,
            "folder": str(self._folder.path),
            "pid": os.getpid(),
            "members": members,
        }

    def _shown(self, member: ClusterMember) -> dict[str, Any]:
        node = role_of(member.name) == NODE
        ports = MemberPorts(CQL_PORT) if node else self._ports[member.name]
        shown = {**member.to_json(), "host": address_of(int(member.name.rpartition("-")[2])) if node else HOST}
        if self._requests is not None:
            shown["state"] = self._requests.state_of(member)
        return {**shown, "ports": {kind: number for kind, number in vars(ports).items() if number}}


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1.0):
        return True
    return False
