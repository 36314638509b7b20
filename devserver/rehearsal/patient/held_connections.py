"""Another client of the patient's database, which takes all connections that it gets."""

from __future__ import annotations

import contextlib

from ...cluster import database_access
from ...cluster.errors import DatabaseRefused
from ...cluster.folder import ClusterFolder
from ...cluster.postgres_client import PostgresConnection
from ..errors import FaultImpossible

APPLICATION = "leaking-client"
MOST = 10_000


class HeldConnections:
    """The connections that it holds."""

    def __init__(self, folder: ClusterFolder) -> None:
        self._folder = folder
        self._held: list[PostgresConnection] = []

    def take(self) -> None:
        """Connect until the database refuses.

        Raises:
            FaultImpossible: It does not answer.
        """
        try:
            while len(self._held) < MOST:
                self._held.append(
                    database_access.connect(self._folder, "temporal", administrator=False, application=APPLICATION)
                )
        except DatabaseRefused:
            return
        except OSError as error:
            raise FaultImpossible(f"the database does not answer: {error}") from error

    @property
    def count(self) -> int:
        """How many it still has: the database may have ended some."""
        self._held = [connection for connection in self._held if connection.alive]
        return len(self._held)

    def release(self) -> None:
        """Close them."""
        while self._held:
            with contextlib.suppress(OSError):
                self._held.pop().close()
