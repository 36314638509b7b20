"""How much of a shared server is used up: a server keeps memory and CPU for every namespace, so it is replaced."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

FILE = "namespaces"
SUCCESSOR_AT = 0.8


@dataclass(frozen=True)
class Usage:
    """The namespaces that tests of all processes have made on one server.

    The count is the size of a file beside the server's database, which ends with the server.

    Attributes:
        file: The file, one byte for each namespace.
        limit: The number of namespaces after which the server is replaced.
    """

    file: Path
    limit: int

    @classmethod
    def of(cls, database: Path, limit: int) -> Usage:
        """The usage of the server with that database."""
        return cls(database.parent / FILE, limit)

    def add(self) -> None:
        """Count one namespace."""
        with contextlib.suppress(OSError), self.file.open("ab") as file:  # a server that was killed has no folder
            file.write(b".")

    @property
    def count(self) -> int:
        """The namespaces so far."""
        try:
            return self.file.stat().st_size
        except OSError:
            return 0

    @property
    def full(self) -> bool:
        """Whether tests should use another server."""
        return self.count >= self.limit

    @property
    def nearly_full(self) -> bool:
        """Whether it is time to start another server."""
        return self.count >= self.limit * SUCCESSOR_AT
