"""SQLite: connections, copies, checks, and its errors as ours."""

from __future__ import annotations

import contextlib
import glob
import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from ..errors import DatabaseCorrupt, DatabaseError, DatabaseInUse
from .header import DAMAGE_HINT, sidecar, size_of

SIDECARS = ("-wal", "-shm", "-journal")
PAGES_PER_STEP = 1024
BUSY_SECONDS = 5.0
Mode = Literal["rw", "ro", "rwc", "immutable"]


@contextlib.contextmanager
def connect(db: Path, mode: Mode = "rw") -> Iterator[sqlite3.Connection]:
    """A connection that is closed at the end; every error leaves as a DatabaseError.

    `rw` rolls back or replays what a crash left; `immutable` leaves no file beside `db`.
    """
    query = "mode=ro&immutable=1" if mode == "immutable" else f"mode={mode}"
    with our_errors(db):
        connection = sqlite3.connect(
            f"{db.absolute().as_uri()}?{query}", uri=True, isolation_level=None, timeout=BUSY_SECONDS
        )
        with contextlib.closing(connection):
            yield connection


@contextlib.contextmanager
def our_errors(db: Path) -> Iterator[None]:
    """Turn errors of SQLite and of the disk into ours, about `db`."""
    try:
        yield
    except sqlite3.Error as error:
        raise _translated(db, str(error)) from error
    except OSError as error:
        raise _translated(db, error.strerror or str(error)) from error


def _translated(db: Path, text: str) -> DatabaseError:
    lower = text.lower()
    if "malformed" in lower or "not a database" in lower:
        return DatabaseCorrupt(
            f"the database {db} is damaged: {text}",
            hint=DAMAGE_HINT,
        )
    if "locked" in lower:
        return DatabaseInUse(
            f"the database {db} is locked by another process", hint="stop the process that has it open"
        )
    if "full" in lower or "no space" in lower:
        return disk_full(db, text)
    if "no such module" in lower:
        return DatabaseError(
            f"this Python's SQLite ({sqlite3.sqlite_version}) lacks a feature that Temporal's database needs: {text}",
            hint="use a Python whose SQLite has FTS5",
        )
    return DatabaseError(f"cannot use the database {db}: {text}")


def disk_full(db: Path, text: str) -> DatabaseError:
    """The error of a disk that has no room for `db`."""
    free = shutil.disk_usage(_existing(db)).free
    return DatabaseError(
        f"no room to write {db}: {text}",
        details=[f"free: {free} bytes"],
        hint="free some space (devserver snapshot list shows the size of snapshots) and try again",
    )


def _existing(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if folder.exists())


def copy_whole(source: Path, target: Path) -> None:
    """A consistent copy of `source`, one moment of it, while others may write to it; on disk when done.

    An open read transaction pins that moment: without it every write of another process would
    start the copy over, and under load it would never end.
    """
    size = sum(size_of(path) for path in (source, sidecar(source, "-wal")))
    with our_errors(target):
        if shutil.disk_usage(_existing(target)).free < size:
            raise disk_full(target, f"{size} bytes are needed")
        create_private(target)
    try:
        with connect(source) as old:
            old.execute("BEGIN")
            (cookie,) = old.execute("PRAGMA schema_version").fetchone()
            with connect(target) as new:
                new.execute("PRAGMA synchronous=OFF")
                old.backup(new, pages=PAGES_PER_STEP)
                # A backup resets this counter. The schema is the same, and our stamp identifies it by that number.
                new.execute(f"PRAGMA schema_version={int(cookie)}")
        sync(target)
    except BaseException:
        remove_whole(target)
        raise


def create_private(path: Path) -> None:
    """Make an empty file of ours at `path`, where none may be: a link that someone put there is not followed."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def sync(path: Path) -> None:
    """See that `path`, a file or a folder, is on the disk."""
    with our_errors(path):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def remove_whole(db: Path) -> None:
    """Remove a file of ours with everything SQLite put beside it."""
    for path in (db, *(sidecar(db, ending) for ending in SIDECARS)):
        path.unlink(missing_ok=True)


def remove_leftovers(db: Path, purpose: str) -> None:
    """Remove what killed processes left beside `db` (see `beside`). Call it with the lease held."""
    for path in db.parent.glob(f"{glob.escape(db.name)}.{purpose}-*"):
        path.unlink(missing_ok=True)


def beside(db: Path, purpose: str) -> Path:
    """Where the file that is to replace `db` is made: on the same disk, so that it can."""
    return sidecar(db, f".{purpose}-{os.getpid()}")


def settle(db: Path) -> None:
    """Bring what journal and log of `db` hold into the file itself, so that it is whole alone.

    Raises:
        DatabaseInUse: Another process has it open, so it cannot be.
    """
    with connect(db) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if any(size_of(sidecar(db, ending)) for ending in ("-wal", "-journal")):
        raise DatabaseInUse(f"another process has {db} open", hint="stop the process that has it open")


def replace_file(new: Path, db: Path) -> None:
    """Put `new` in the place of `db` in one step. `db` was settled: its log would spoil the new one."""
    with our_errors(db):
        for ending in SIDECARS:
            sidecar(db, ending).unlink(missing_ok=True)
        new.replace(db)
        sync(db.parent)


def page_use(connection: sqlite3.Connection) -> tuple[int, int, int]:
    """How many pages the database has, how many of them are free, and the size of a page."""
    pages, free, size = (
        int(connection.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("page_count", "freelist_count", "page_size")
    )
    return pages, free, size


def integrity(connection: sqlite3.Connection, *, quick: bool = False) -> list[str]:
    """The damage that SQLite finds; empty if there is none."""
    pragma = "quick_check" if quick else "integrity_check"
    found = [str(row[0]) for row in connection.execute(f"PRAGMA {pragma}(20)")]
    return [] if found == ["ok"] else found


def refuse_damage(db: Path, found: list[str]) -> None:
    """Raise DatabaseCorrupt when `integrity` found anything."""
    if found:
        raise DatabaseCorrupt(
            f"the database {db} is damaged",
            details=found[:5],
            hint=DAMAGE_HINT,
        )
