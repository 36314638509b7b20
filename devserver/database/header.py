"""The header of a database file, read without SQLite: whether it is usable, and its schema cookie."""

from __future__ import annotations

import contextlib
import mmap
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from ..errors import DatabaseCorrupt, DatabaseError

MAGIC = b"SQLite format 3\0"
HEADER_SIZE = 100
DAMAGE_HINT = "restore a snapshot (devserver snapshot restore NAME), or use another file with --db-filename"
# A write-ahead log above this is not searched: whoever asks then compares the schema instead.
WAL_SEARCH_LIMIT = 64 * 1024 * 1024
WAL_HEADER_SIZE = 32
FRAME_HEADER_SIZE = 24


@dataclass(frozen=True)
class Header:
    """An SQLite header. `schema_cookie` is None if it is too costly to find."""

    page_size: int
    schema_cookie: int | None


def sidecar(db: Path, ending: str) -> Path:
    """A file beside `db`: `-wal`, `-shm`, `-journal`, `.lock`, `.stamp.json`."""
    return db.with_name(db.name + ending)


def files_of(db: Path) -> object:
    """What tells whether somebody has changed `db` or its log since: equal if nobody has."""
    found = []
    for path in (db, sidecar(db, "-wal")):
        with contextlib.suppress(OSError):
            state = path.stat()
            found.append((path.name, state.st_ino, state.st_size, state.st_mtime_ns))
    return tuple(found)


def size_of(path: Path) -> int:
    """The size of `path` in bytes; 0 if it does not exist."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def read_header(db: Path) -> Header | None:
    """The header of `db`, or None where there is no file yet, or an empty one.

    Raises:
        DatabaseError: It is a folder, cannot be read or written, or is not an SQLite database.
        DatabaseCorrupt: It is shorter than its own header says.
    """
    try:
        info = db.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DatabaseError(f"cannot read the database {db}: {error.strerror}") from error
    _refuse_unusable(db, info)
    if info.st_size == 0:
        return None
    try:
        with db.open("rb") as file:
            head = file.read(HEADER_SIZE)
    except OSError as error:
        raise _no_access(db, f"it cannot be read: {error.strerror}") from error
    if len(head) < HEADER_SIZE or not head.startswith(MAGIC):
        raise DatabaseError(
            f"{db} is not an SQLite database",
            details=[f"found: {info.st_size} bytes beginning with {head[:16]!r}"],
            hint="use another file with --db-filename; this one was not changed",
        )
    return _parse(db, head, info.st_size)


def _refuse_unusable(db: Path, info: os.stat_result) -> None:
    if stat.S_ISDIR(info.st_mode):
        raise DatabaseError(
            f"the database {db} is a folder", hint=f"name a file, such as --db-filename {db / 'temporal.db'}"
        )
    if not stat.S_ISREG(info.st_mode):
        raise DatabaseError(f"the database {db} is not a regular file", hint="use another file with --db-filename")
    if not os.access(db, os.R_OK):
        raise _no_access(db, "it cannot be read")
    if not os.access(db, os.W_OK):
        raise _no_access(db, "it cannot be written")
    if not os.access(db.parent, os.W_OK | os.X_OK):
        raise _no_access(db, f"its folder {db.parent} cannot be written, and SQLite keeps its journal there")


def _no_access(db: Path, why: str) -> DatabaseError:
    return DatabaseError(
        f"cannot use the database {db}: {why}",
        hint=f"give yourself access (chmod u+rw {db}), or use another file with --db-filename",
    )


def _parse(db: Path, head: bytes, size: int) -> Header:
    page_size = int.from_bytes(head[16:18], "big")
    page_size = 65536 if page_size == 1 else page_size
    pending = any(size_of(sidecar(db, ending)) for ending in ("-wal", "-journal"))
    pages = int.from_bytes(head[28:32], "big")
    counted = head[24:28] == head[92:96]  # else the page count is of an older time and means nothing
    if counted and not pending and size < pages * page_size:
        raise DatabaseCorrupt(
            f"the database {db} is truncated",
            details=[f"its header says {pages * page_size} bytes, the file has {size}"],
            hint=DAMAGE_HINT,
        )
    cookie: int | None = int.from_bytes(head[40:44], "big")
    if size_of(sidecar(db, "-wal")) > WAL_HEADER_SIZE:
        cookie = _cookie_in_wal(sidecar(db, "-wal"), page_size, otherwise=cookie)
    return Header(page_size=page_size, schema_cookie=cookie)


def _cookie_in_wal(wal: Path, page_size: int, *, otherwise: int | None) -> int | None:
    """The cookie in the newest copy of page 1: the server leaves its log behind, so that is where it is."""
    try:
        with wal.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as log:
            if len(log) > WAL_SEARCH_LIMIT:
                return None
            return _search(log, page_size, otherwise)
    except (OSError, ValueError):
        return None


def _search(log: mmap.mmap, page_size: int, otherwise: int | None) -> int | None:
    frame = FRAME_HEADER_SIZE + page_size
    salts = log[16:24]
    low_bytes = log[WAL_HEADER_SIZE + 3 :: frame]  # of every frame's page number
    at = len(low_bytes)
    while (at := low_bytes.rfind(b"\x01", 0, at)) != -1:
        start = WAL_HEADER_SIZE + at * frame
        is_page_1 = log[start : start + 4] == b"\0\0\0\x01"
        if is_page_1 and log[start + 8 : start + 16] == salts and start + frame <= len(log):
            page = start + FRAME_HEADER_SIZE
            return int.from_bytes(log[page + 40 : page + 44], "big")
    return otherwise
