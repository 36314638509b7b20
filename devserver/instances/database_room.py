"""The room of an ephemeral server's database: what is used, what is left, and whether writes fail."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..config.sizes import format_size
from ..errors import DatabaseError
from ..server.command_line import max_pages
from ..server.log import log_tail
from ..server.start_errors import NO_ROOM
from . import ephemeral_database
from .record import ELSEWHERE, Record

LINES = 1000
LOG_BYTES = 256_000
LARGE_WRITE = 4 * 1024 * 1024  # a payload of the largest size, and what is written with it
SMALL_WRITE = 64 * 1024
LITTLE = 0.1


@dataclass(frozen=True)
class DatabaseRoom:
    """The room of one database, in bytes.

    Attributes:
        used: What the server keeps; pages that it can write again are not counted.
        limit: The most that it can keep.
        left: What it can still write: up to `limit`, and to what the file system has left.
        full: Whether writes fail: the log says so and little is left, or nothing is left.
        folder: The folder that is short of space; None if the limit is nearer.
    """

    used: int
    limit: int
    left: int
    full: bool
    folder: Path | None = None

    @property
    def little(self) -> bool:
        """Whether less than a tenth is left."""
        return self.left < self.limit * LITTLE

    @property
    def hint(self) -> str:
        """What gives it more room."""
        if self.folder is not None:
            return f"free some space in {self.folder}"
        return "start it again with a larger --ephemeral-size (in tests --temporal-ephemeral-size)"

    def __str__(self) -> str:
        used = f"{format_size(self.used)} of {format_size(self.limit)} used, {format_size(self.left)} left"
        return f"full: {used}" if self.full else used

    def to_json(self) -> dict[str, Any]:
        """The documented form (docs/json.md)."""
        needed = self.full or self.little
        sizes = {"used": self.used, "limit": self.limit, "left": self.left, "full": self.full}
        return {**sizes, "hint": self.hint if needed else None}


def room(record: Record, log: Path) -> DatabaseRoom | None:
    """The room of a running ephemeral server; None for another one, or if the database cannot be read.

    Args:
        record: The instance.
        log: The log of its server.
    """
    state = record.state_now()
    if not record.options.ephemeral or not record.running() or state == ELSEWHERE:
        return None
    from ..database.sqlite import connect, page_use

    try:
        with connect(record.database, "ro") as connection:
            pages, reusable, size = page_use(connection)
    except DatabaseError:
        return None
    used, on_disk = (pages - reusable) * size, ephemeral_database.free_bytes(record.database.parent) + reusable * size
    most = max_pages(record.options)
    limit = used + on_disk if most is None else most * size
    left = max(0, min(limit - used, on_disk))
    refused = left < LARGE_WRITE and any(re.search(NO_ROOM, line) for line in log_tail(log, LINES, most=LOG_BYTES))
    short = record.database.parent.parent if on_disk < limit - used else None
    return DatabaseRoom(used, limit, left, refused or left < SMALL_WRITE, short)
