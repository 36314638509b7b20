"""Another client of the patient's database, which takes every connection that it gets."""

from __future__ import annotations

import contextlib
import threading

from ...cluster import database_access
from ...cluster.errors import DatabaseRefused
from ...cluster.folder import ClusterFolder
from ...cluster.postgres_client import PostgresConnection
from ..errors import FaultImpossible

APPLICATION = "leaking-client"
AGAIN_SECONDS = 0.02  # a role that restarts gives its connections back, and must not be the first to take them


class HeldConnections:
    """The connections that it holds. It takes those that become free, until some of its own are ended."""

    def __init__(self, folder: ClusterFolder) -> None:
        self._folder = folder
        self._held: list[PostgresConnection] = []
        self._lock = threading.Lock()
        self._enough = threading.Event()

    def take(self) -> None:
        """Connect until the database refuses, and again whenever a connection is free.

        Raises:
            FaultImpossible: It does not answer.
        """
        try:
            self._fill()
        except OSError as error:
            raise FaultImpossible(f"the database does not answer: {error}") from error
        threading.Thread(target=self._go_on, daemon=True).start()

    @property
    def count(self) -> int:
        """How many it still has: the database may have ended some."""
        self._drop_ended()
        return len(self._held)

    def _drop_ended(self) -> None:
        with self._lock:
            ended = [connection for connection in self._held if not connection.alive]
            for connection in ended:
                self._enough.set()
                self._held.remove(connection)
                connection.close()

    def release(self) -> None:
        """Close them, and stop taking new ones."""
        self._enough.set()
        with self._lock:
            while self._held:
                with contextlib.suppress(OSError):
                    self._held.pop().close()

    def _fill(self) -> None:
        with contextlib.suppress(DatabaseRefused):
            while not self._enough.is_set():
                made = database_access.connect(self._folder, administrator=False, application=APPLICATION)
                self._drop_ended()
                if self._enough.is_set():  # it got this one because others of its own were ended
                    made.close()
                    return
                with self._lock:
                    self._held.append(made)

    def _go_on(self) -> None:
        while not self._enough.wait(AGAIN_SECONDS):
            if self.count:
                with contextlib.suppress(OSError):
                    self._fill()
