"""The other processes that have a database file open."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from ..errors import DatabaseInUse

PROC = Path("/proc")


def other_users(db: Path) -> list[tuple[int, str]]:
    """(pid, name) of each process but this one that has `db` open, as far as this user may see."""
    try:
        wanted = db.stat()
    except OSError:
        return []
    found = _by_proc(wanted) if sys.platform == "linux" else _by_psutil(db.resolve())
    return sorted(found)


def refuse_users(db: Path) -> None:
    """Raise DatabaseInUse if another process has `db` open, such as a server that we did not start."""
    users = other_users(db)
    if users:
        raise DatabaseInUse(
            f"the database {db} is open in another process",
            details=[f"{name} (pid {pid})" for pid, name in users],
            hint="stop it first, or use another file with --db-filename: two servers on one file corrupt it",
        )


def _by_proc(wanted: os.stat_result) -> Iterator[tuple[int, str]]:
    own = str(os.getpid())
    with os.scandir(PROC) as processes:
        for process in processes:
            if process.name.isdigit() and process.name != own and _has_open(process.path, wanted):
                yield int(process.name), _name(process.path)


def _has_open(process: str, wanted: os.stat_result) -> bool:
    folder = f"{process}/fd"
    try:
        for descriptor in os.listdir(folder):  # noqa: PTH208 - hundreds of processes: plain strings are fast
            link = f"{folder}/{descriptor}"
            target = os.readlink(link)  # noqa: PTH115
            if not target.startswith("/") or (target.startswith("/dev/") and not target.startswith("/dev/shm/")):  # noqa: S108
                continue  # sockets, pipes and terminals: no need to ask further; /dev/shm holds files
            if os.path.samestat(os.stat(link), wanted):  # noqa: PTH116
                return True
    except OSError:
        return False  # it ended meanwhile, or belongs to someone else
    return False


def _name(process: str) -> str:
    try:
        return Path(process, "comm").read_text().strip()
    except OSError:
        return "?"


def _by_psutil(db: Path) -> Iterator[tuple[int, str]]:
    import psutil

    for process in psutil.process_iter(["name"]):
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid != os.getpid() and any(Path(file.path) == db for file in process.open_files()):
                yield process.pid, process.info["name"] or "?"
