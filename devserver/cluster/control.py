"""Clusters by name: start one, ask the process that supervises it, delete one."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..config.settings import Settings
from ..errors import DevServerError
from ..system.filelocks import LockedFile
from ..system.files import private_folder
from ..system.paths import Paths
from ..system.progress import Reporter, Silent
from . import executable, postgres_server, postgres_template
from .declaration import Cassandra, Cluster
from .errors import ClusterNotRunning, ClusterRunning, ClusterStartFailed, ClusterUnknown
from .folder import ClusterFolder, command

START_SECONDS = 60.0
RING_SECONDS = 400.0  # of a start with Cassandra, whose nodes take their time on a busy machine
STOP_SECONDS = 120.0
MODULE = f"{__package__}.machine_main"


class ClusterControl:
    """A cluster of this name, running or not.

    Args:
        name: The name.
        paths: Where our files are; those of this user by default.
    """

    def __init__(self, name: str = "default", paths: Paths | None = None) -> None:
        self.folder = ClusterFolder(paths or Paths.default(), name)

    @contextlib.contextmanager
    def started(
        self,
        cluster: Cluster,
        *,
        port: int | None = None,
        limit: float | None = None,
        reporter: Reporter | None = None,
        detach: bool = False,
        patient: bool = False,
        proxies: bool = False,
    ) -> Iterator[dict[str, Any]]:
        """Start the cluster; in the block it serves, and yields its status.

        At the end of the block it is stopped, and so it is when this process ends, whatever ends it. With `detach` it
        stays until `down`. A `patient` can be given back its first data (`reset`), and is killed, not stopped. With
        `proxies`, as of a patient, the network between members and PostgreSQL can be cut and slowed.

        Raises:
            ClusterRunning: It runs already.
            ClusterExecutableMissing, PostgresMissing, CassandraMissing: What it needs is not on this machine.
            ClusterStartFailed: A member does not start, or it does not serve within `limit` seconds (60, with Cassandra
                400).
        """
        reporter = reporter or Silent()
        lifeline = (-1, -1) if detach else os.pipe()
        try:
            with self.folder.lock():
                limit = limit or start_seconds(cluster)
                process, status = self._start(
                    cluster, port, limit, reporter, lifeline[0], patient=patient, proxies=proxies or patient
                )
            try:
                yield status
            finally:
                if not detach:
                    process.terminate()
                    process.wait()
        finally:
            for descriptor in set(lifeline) - {-1}:
                os.close(descriptor)

    def _start(
        self,
        cluster: Cluster,
        port: int | None,
        limit: float,
        reporter: Reporter,
        lifeline: int,
        *,
        patient: bool,
        proxies: bool,
    ) -> tuple[subprocess.Popen[bytes], dict[str, Any]]:
        folder = self.folder
        if folder.running():
            raise folder.in_use()
        self._require_same(cluster)
        roles = executable.find(cluster.version, folder.paths)
        template = postgres_template.template(roles, cluster.version, folder.paths, reporter)
        ring = self._ring(cluster, roles, reporter)
        folder.create()
        request = {
            "paths": {key: str(value) for key, value in folder.paths._asdict().items()},
            "name": folder.name,
            "declaration": cluster.to_json(),
            "executable": str(roles),
            "template": str(template),
            "limit": limit,
            "port": port,
            "ring": ring,
            "patient": patient,
            "proxies": proxies,
        }
        read, write = os.pipe()
        log = folder.log("supervisor")
        with os.fdopen(read) as events:
            try:
                with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as output:
                    process = subprocess.Popen(
                        [sys.executable, "-m", MODULE, json.dumps(request), str(write), str(lifeline)],
                        stdin=subprocess.DEVNULL,
                        stdout=output,
                        stderr=output,
                        pass_fds=sorted({write, lifeline} - {-1}),
                        start_new_session=True,
                    )
            finally:
                os.close(write)
            try:
                for line in events:
                    event = json.loads(line)
                    if "note" in event:
                        reporter.note(event["note"])
                    elif "failed" in event:
                        raise DevServerError.from_json(event["failed"])
                    else:
                        return process, event["ready"]
                raise ClusterStartFailed(
                    f"the process that supervises the cluster {folder.name} ended",
                    details=log.read_text().splitlines()[-6:],
                )
            except BaseException:
                process.terminate()
                process.wait()
                raise

    def _ring(self, cluster: Cluster, roles: Path, reporter: Reporter) -> dict[str, Any] | None:
        """What the machine needs to know of the cluster's Cassandra nodes: programs, template, their numbers."""
        database = cluster.database
        if not isinstance(database, Cassandra):
            return None
        from .ring import jars, template

        paths = self.folder.paths
        programs = jars.find(paths, reporter, offline=bool(Settings.load().offline))
        nodes = list(range(1, database.nodes + 1))
        with contextlib.suppress(ClusterUnknown):
            nodes = self.folder.read().get("nodes", nodes)
        return {
            "programs": programs.to_json(),
            "template": str(template.template(programs, database, roles, cluster.version, paths, reporter)),
            "nodes": nodes,
        }

    def _require_same(self, cluster: Cluster) -> None:
        """The number of shards and the version of the schema belong to the data."""
        try:
            before = Cluster.from_json(self.folder.read()["declaration"])
        except ClusterUnknown:
            return
        if before.shards != cluster.shards:
            raise ClusterStartFailed(
                f"the cluster {self.folder.name} has {before.shards} history shards, not {cluster.shards}",
                hint=f"their number cannot change; delete it first: {command('delete', self.folder.name)}",
            )
        if before.database != cluster.database and Cassandra in map(type, (before.database, cluster.database)):
            raise ClusterStartFailed(
                f"the cluster {self.folder.name} is on {before.database}, not on {cluster.database}",
                hint=f"its database cannot change; delete it first: {command('delete', self.folder.name)}",
            )

    def ask(self, kind: str, **facts: Any) -> dict[str, Any]:
        """Ask the supervising process for `status`, or to `start`, `stop`, `kill`, `freeze`, `thaw` or `restart` the
        `member` (a member or a role); its status afterwards.

        Raises:
            ClusterUnknown, ClusterNotRunning: There is no such cluster, or it does not run.
            MemberUnknown: It has no such member.
            ClusterStartFailed: The member does not start.
        """
        from . import control_socket

        record = self.folder.read()
        status = control_socket.ask(self.folder, kind, facts)
        if status is None:
            raise ClusterNotRunning(
                f"the cluster {self.folder.name} is not running",
                details=[f"it is {Cluster.from_json(record['declaration'])}"],
                hint=f"start it with: {command('up', self.folder.name)}",
            )
        return status

    def down(self) -> bool:
        """Stop the cluster; its data stays. Whether it was running.

        Raises:
            ClusterUnknown: There is no such cluster.
        """
        self.folder.read()
        if not self.folder.running():
            return False
        with contextlib.suppress(ClusterNotRunning):
            self.ask("down")
        lock = LockedFile.acquire(self.folder.supervisor_lock, limit=STOP_SECONDS)  # held until all members have ended
        if lock is not None:
            lock.release()
        return True

    def delete(self) -> None:
        """Remove the cluster with its data and logs.

        Raises:
            ClusterUnknown: There is no such cluster.
            ClusterRunning: It runs.
        """
        self.folder.read()
        with self.folder.lock():
            if self.folder.running():
                raise ClusterRunning(
                    f"the cluster {self.folder.name} is running",
                    hint=f"stop it first: {command('down', self.folder.name)}",
                )
            postgres_server.discard(self.folder.database)
            shutil.rmtree(private_folder(self.folder.path))


def start_seconds(cluster: Cluster) -> float:
    """How long the start of such a cluster may take."""
    return RING_SECONDS if isinstance(cluster.database, Cassandra) else START_SECONDS
