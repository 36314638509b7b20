"""What is known about one server: names, addresses, versions, files, and whether it is running."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from .folder import InstanceFolder
from .record import STOPPED, Record

if TYPE_CHECKING:
    from .database_room import DatabaseRoom
    from .tls import TlsAccess


NOTED_SECONDS, NOTED_POLL_SECONDS = 2.0, 0.02  # a supervisor looks at its server four times a second


class ServerInfo:
    """The facts about the server of one instance."""

    def __init__(self, record: Record, folder: InstanceFolder) -> None:
        self._record = record
        self._folder = folder

    @property
    def name(self) -> str:
        """The name of the instance; `~...` for a server that belongs to one process."""
        return self._record.name

    @property
    def address(self) -> str:
        """`host:port` for `Client.connect`."""
        return self._record.address

    @property
    def namespace(self) -> str:
        """The first requested namespace, else `default`."""
        return self._record.namespace

    @property
    def namespaces(self) -> tuple[str, ...]:
        """All namespaces that exist for certain."""
        return self._record.namespaces

    @property
    def ui_url(self) -> str | None:
        """The URL of the Web UI; None if it is off."""
        return self._record.ui_url

    @property
    def http_url(self) -> str:
        """The URL of Temporal's HTTP API."""
        return self._record.http_url

    @property
    def metrics_url(self) -> str:
        """The URL of the server's Prometheus metrics."""
        return self._record.metrics_url

    @property
    def tls(self) -> TlsAccess | None:
        """What clients of the TLS port need; None without TLS."""
        from .tls import tls_access

        return tls_access(self._folder, self._record)

    @property
    def version(self) -> str:
        """The version of the Temporal CLI, such as `1.9.1`."""
        return self._record.version

    @property
    def server_version(self) -> str:
        """The version of the server, such as `1.32.0`."""
        return self._record.server_version

    @property
    def executable(self) -> Path:
        """The Temporal CLI that the server runs on."""
        return self._record.executable

    @property
    def database(self) -> Path:
        """The SQLite file with the server's state."""
        return self._record.database

    @property
    def room(self) -> DatabaseRoom | None:
        """The room of an ephemeral server's database; None for another one, or while it is not running."""
        from .database_room import room

        return room(self._current(), self.log)

    @property
    def log(self) -> Path:
        """The log of the server."""
        return self._folder.log

    @property
    def pid(self) -> int | None:
        """The pid of the server; None while it has no process."""
        server = self._current().server
        return server.pid if server is not None and server.alive() else None

    @property
    def running(self) -> bool:
        """Whether the server has a process, which may be frozen."""
        return self._current().running()

    def how_ended(self, pid: int) -> str:
        """How the server process `pid`, which has ended, did so, as far as its supervisor has noted."""
        deadline = time.monotonic() + NOTED_SECONDS
        while True:
            record = self._folder.read_record()
            if record is None:
                return "ended"
            if record.server is None:
                break
            if record.server.pid != pid:
                return "ended (another one runs in its place)"
            if not record.supervised():
                return "ended with its supervisor, which was killed"
            if time.monotonic() > deadline:
                return "ended"
            time.sleep(NOTED_POLL_SECONDS)
        if record.state == STOPPED:
            return "was stopped by devserver down or a signal to its supervisor"
        if record.exit is not None and record.exit.startswith("signal "):
            return f"was killed by {record.exit}"
        return f"crashed ({record.exit}); see its log: {self.log}"

    def _current(self) -> Record:
        return self._folder.read_record() or self._record.changed(state=STOPPED, server=None)
