"""Outages of a server's process: killed, stopped, frozen, or with another database."""

from __future__ import annotations

import contextlib
import shutil
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Literal

from ..database.sqlite import create_private, remove_whole
from ..database.stamp import forget_stamp
from ..errors import DevServerError
from ..instances import stopping
from ..instances.dev_server import DevServer
from ..instances.folder import InstanceFolder
from ..system.paths import Paths
from .log import OutageLog
from .model import ActiveOutage, OutageConflict

ServerState = Literal["running", "frozen", "killed", "stopped", "starting"]

HINTS: dict[ServerState, str] = {
    "running": "kill or stop it first",
    "frozen": "thaw it first",
    "killed": "restart it first",
    "stopped": "restart it first",
    "starting": "wait until it is ready",
}


class ServerOutages:
    """The state of one server's process, which has one outage at a time.

    Methods raise `OutageConflict` where another outage is in effect, and `InstanceNotRunning` where the process has
    died by itself.
    """

    def __init__(self, server: DevServer, log: OutageLog) -> None:
        self._server = server
        self._log = log
        self._lock = threading.RLock()
        self._state: ServerState = "running"
        self.active: ActiveOutage | None = None

    @property
    def state(self) -> ServerState:
        """What the outages have made of the server; a process that died by itself counts as running."""
        return self._state

    @property
    def changing(self) -> threading.RLock:
        """The lock that every change takes; hold it for several changes in a row."""
        return self._lock

    def kill(self) -> ActiveOutage:
        """Kill the process (SIGKILL). The server keeps everything that it has acknowledged."""
        with self._lock:
            self.require("kill", "running")
            self._server.kill()
            return self._begin("killed", self._restart_after)

    def stop(self) -> ActiveOutage:
        """Stop the process gracefully; its state is kept."""
        with self._lock:
            self.require("stop", "running")
            stopping.stop(InstanceFolder(Paths.default(), self._server.name), keep=True)
            return self._begin("stopped", self._restart_after)

    def freeze(self) -> ActiveOutage:
        """Suspend the process (SIGSTOP): connections stay open, and nothing is answered."""
        with self._lock:
            self.require("freeze", "running")
            self._server.freeze()
            return self._begin("frozen", self._thaw_after)

    def restart(self, down: float = 0.0) -> None:
        """Start a server that is down, or stop and start a running one, `down` seconds later; returns when it is ready.

        Raises:
            OutageConflict: The server is frozen.
            devserver.DevServerError: The server does not start; says why.
        """
        with self._lock:
            self.require("restart", "running", "killed", "stopped")
            if self._state == "running":
                self._log.note(f"stopped for {down:g} s" if down else "stopped")
            self._state = "starting"
            try:
                self._server.restart(down=timedelta(seconds=down))
            except BaseException as error:
                self._state, self.active = "killed", ActiveOutage("killed", self._restart_after)
                self._log.note(f"does not come back: {error!r}")
                raise
            self._state, self.active = "running", None
            self._log.note("up again")

    def replace_database(self, copy: Path | None = None) -> None:
        """Remove the database of a server that is down, and put `copy` in its place (None: an empty database)."""
        with self._lock:
            self.require("replace the database of", "killed", "stopped")
            database = self._server.database
            remove_whole(database)
            forget_stamp(database)
            if copy is not None:
                create_private(database)
                shutil.copyfile(copy, database)
            self._log.note("database lost" if copy is None else f"database replaced with {copy.name}")

    def restore(self, *, restart: bool = True) -> None:
        """End the outage in effect, if there is one; a server that is down stays down with `restart=False`."""
        with self._lock:
            if self.active is not None and (restart or self._state == "frozen"):
                self.active.restore()

    def require(self, verb: str, *states: ServerState) -> None:
        """Check that the server is in one of these states.

        Raises:
            OutageConflict: It is not.
        """
        if self._state not in states:
            raise OutageConflict(f"cannot {verb} the server: it is {self._state}", hint=HINTS[self._state])

    def _begin(self, state: ServerState, end: Callable[[ActiveOutage], None]) -> ActiveOutage:
        self._state, self.active = state, ActiveOutage(state, end)
        self._log.note(state)
        return self.active

    def _thaw_after(self, outage: ActiveOutage) -> None:
        with self._lock:
            if self.active is not outage:
                return
            self._state, self.active = "running", None
            with contextlib.suppress(DevServerError):  # the process has died meanwhile
                self._server.thaw()
            self._log.note("thawed")

    def _restart_after(self, outage: ActiveOutage) -> None:
        with self._lock:
            if self.active is outage:
                self.restart()
