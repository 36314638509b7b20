"""What the dashboard shows of servers without asking them: their records, processes, files and snapshots."""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from ..config.sizes import format_size
from ..database import snapshots
from ..database.catalog import Snapshot
from ..errors import DevServerError
from ..instances.cleanup import tidy
from ..instances.folder import RECORD, InstanceFolder
from ..instances.record import Record
from ..instances.status import status
from ..system.paths import Paths
from ..system.ports import describe
from ..system.process import resident_bytes
from ..system.timefmt import age

FULL_SECONDS = 10.0  # between two times that a server is asked whether it serves
TIDY_SECONDS = 30.0  # between two times that it cleans up after killed processes, as `devserver list` does
GROWTH_SECONDS = 600.0
LEAST_GROWTH = 4096  # bytes: a page of SQLite
FILES = ("", "-wal")


@dataclass(frozen=True)
class ServerView:
    """One server of this user.

    Attributes:
        status: As `devserver status --json` prints it.
        users: The processes that hold it.
        memory: Resident memory of its process; None without one.
        size: The size of its database, and what SQLite has not merged into it yet.
        growth: How much that grew while the page was open; empty if unknown.
        snapshots: Its snapshots, the newest first.
    """

    status: dict[str, Any]
    users: Sequence[str]
    memory: int | None
    size: int
    growth: str
    snapshots: Sequence[Snapshot]

    @property
    def name(self) -> str:
        """The name of the instance."""
        return str(self.status["name"])

    @property
    def ready(self) -> bool:
        """Whether it can be asked."""
        return bool(self.status["state"] == "ready")

    @property
    def anonymous(self) -> bool:
        """Whether it belongs to one process, which ends it."""
        return self.name.startswith("~")


class ServerReader:
    """Reads the servers again and again; what has not changed is not read again.

    Args:
        paths: Where our files are.
    """

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._known: dict[str, tuple[tuple[Any, ...], float, dict[str, Any]]] = {}
        self._sizes: dict[str, deque[tuple[float, int]]] = {}
        self._snapshots: dict[str, tuple[float, list[Snapshot]]] = {}
        self._tidied = float("-inf")
        self.damaged: list[str] = []
        """Records that cannot be read, with the reason."""

    def read(self) -> list[ServerView]:
        """All servers, by name."""
        self.damaged = []
        if time.monotonic() - self._tidied > TIDY_SECONDS:
            self._tidied = time.monotonic()
            with contextlib.suppress(DevServerError):
                tidy(self._paths)
        found = []
        for folder in InstanceFolder.all(self._paths):
            try:
                record = folder.read_record()
            except DevServerError as error:
                self.damaged.append(str(error))
                continue
            if record is not None:
                found.append(self._view(folder, record))
        names = {view.name for view in found}
        for memory in (self._known, self._sizes, self._snapshots):
            for name in set(memory) - names:
                del memory[name]
        return found

    def _view(self, folder: InstanceFolder, record: Record) -> ServerView:
        known = self._status(folder, record)
        size = sum(_size(record.database.with_name(record.database.name + suffix)) for suffix in FILES)
        return ServerView(
            status=known,
            users=[describe(pid) for pid in known["holders"]],
            memory=resident_bytes(known["pid"]),
            size=size,
            growth=self._growth(record.name, size) if known["pid"] else "",
            snapshots=self._snapshots_of(record.name),
        )

    def _status(self, folder: InstanceFolder, record: Record) -> dict[str, Any]:
        """The status; the server itself is asked only if something changed, and from time to time."""
        signs = (_changed(folder.path / RECORD), record.state_now(), tuple(folder.holders()))
        known = self._known.get(record.name)
        if known is None or known[0] != signs or time.monotonic() - known[1] > FULL_SECONDS:
            found = status(folder, record)
            self._known[record.name] = (signs, time.monotonic(), found)
            return found
        return known[2]

    def _growth(self, name: str, size: int) -> str:
        now = time.monotonic()
        sizes = self._sizes.setdefault(name, deque())
        sizes.append((now, size))
        while sizes[0][0] < now - GROWTH_SECONDS:
            sizes.popleft()
        grown, since = size - sizes[0][1], now - sizes[0][0]
        if abs(grown) < LEAST_GROWTH:
            return ""
        return f"{'+' if grown > 0 else '-'}{format_size(abs(grown))} in {age(timedelta(seconds=since))}"

    def _snapshots_of(self, name: str) -> list[Snapshot]:
        folder = self._paths.snapshots(name)
        changed = _changed(folder)
        known = self._snapshots.get(name)
        if known is None or known[0] != changed:
            found: list[Snapshot] = []
            with contextlib.suppress(DevServerError):
                found = snapshots.list_(folder)[::-1]
            known = self._snapshots[name] = (changed, found)
        return known[1]


def _changed(path: Path) -> float:
    with contextlib.suppress(OSError):
        return path.stat().st_mtime_ns
    return 0


def _size(path: Path) -> int:
    with contextlib.suppress(OSError):
        return path.stat().st_size
    return 0
