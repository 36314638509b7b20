"""The health of a database file, for `devserver doctor`. Its server may be running; nothing is changed."""

from __future__ import annotations

import glob
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..errors import DatabaseError
from .header import Header, read_header, sidecar, size_of
from .schema import OF_TEMPORAL, Schema
from .sqlite import connect, integrity, page_use
from .stamp import fits, read_stamp
from .users import other_users

Level = Literal["ok", "warning", "error"]
LARGE_LOG = 256 * 1024 * 1024
MUCH_FREE = 0.5
ENOUGH_TO_MENTION = 64 * 1024 * 1024


@dataclass(frozen=True)
class CheckResult:
    """The result of one check: `topic` names what was checked, `text` says what was found."""

    level: Level
    topic: str
    text: str
    hint: str | None = None


def check(db: Path, *, kept: bool = True) -> list[CheckResult]:
    """Check a database file, and report problems as results instead of errors.

    Args:
        db: The file.
        kept: Whether it outlives its server, so that it has a stamp.
    """
    try:
        db = db.resolve()
        header = read_header(db)
    except DatabaseError as error:
        return [_from_error("database", error)]
    except (OSError, RuntimeError) as error:  # a link to itself
        return [CheckResult("error", "database", f"cannot reach {db}: {error}", "use another file with --db-filename")]
    if header is None:
        return [_of_no_file(db)]
    findings = [_of_size(db), *([_of_stamp(db, header)] if kept else []), *_of_leftovers(db)]
    at_rest = not other_users(db) and not size_of(sidecar(db, "-wal")) and not size_of(sidecar(db, "-journal"))
    try:
        # Reading a file in WAL mode makes -wal and -shm beside it, which would stay: not needed when it is at rest.
        with connect(db, "immutable" if at_rest else "ro") as connection:
            findings += _of_content(connection)
    except DatabaseError as error:
        findings.append(_of_refused_read(db, error))
    return findings


def _of_no_file(db: Path) -> CheckResult:
    if db.exists():
        return CheckResult("warning", "database", f"{db} is empty", "the next start creates it again")
    return CheckResult("ok", "database", f"{db} does not exist yet", "the first start creates it")


def _of_size(db: Path) -> CheckResult:
    size = size_of(db) + size_of(sidecar(db, "-wal"))  # a server leaves in its log what it wrote last
    return CheckResult("ok", "size", f"{db}: {size / 1e6:.1f} MB")


def _of_stamp(db: Path, header: Header) -> CheckResult:
    stamp = read_stamp(db)
    if stamp is None:
        hint = "the next start compares its tables and stamps it"
        return CheckResult("warning", "stamp", "there is no stamp with the version of the server that wrote it", hint)
    if not fits(stamp, header.schema_cookie):
        hint = "the next start compares its tables and stamps it"
        return CheckResult("warning", "stamp", "the file was replaced since it was stamped", hint)
    made = f", made by {stamp.made_by}" if stamp.made_by else ""
    when = stamp.last_written_at
    return CheckResult("ok", "stamp", f"last started on by server {stamp.last_written_by} at {when}{made}")


def _of_leftovers(db: Path) -> Iterator[CheckResult]:
    used = bool(other_users(db))
    log = size_of(sidecar(db, "-wal"))
    if log > LARGE_LOG:
        yield CheckResult(
            "warning",
            "log",
            f"its write-ahead log has {log / 1e6:.0f} MB",
            "a restart writes it into the file",
        )
    if size_of(sidecar(db, "-journal")) and not used:
        yield CheckResult("warning", "journal", "a crash left a rollback journal", "the next start rolls it back")
    for pattern in (".upgrade-*", ".restore-*"):
        for path in sorted(db.parent.glob(glob.escape(db.name) + pattern)):
            yield CheckResult(
                "warning",
                "leftover",
                f"{path} was left by a killed process",
                "you can delete it: it was never used",
            )


def _of_content(connection: sqlite3.Connection) -> Iterator[CheckResult]:
    tables = Schema.read(connection).columns
    if not tables.keys() >= OF_TEMPORAL:
        yield CheckResult("error", "schema", "it is not a Temporal database", "use another file with --db-filename")
    damage = integrity(connection)
    if damage:
        yield CheckResult(
            "error",
            "integrity",
            "; ".join(damage[:3]),
            "restore a snapshot: devserver snapshot restore NAME",
        )
    else:
        yield CheckResult("ok", "integrity", "SQLite finds no damage")
    pages, free, page_size = page_use(connection)
    wasted = free * page_size
    text = f"{free} of {pages} pages are free ({wasted / 1e6:.1f} MB)"
    if free > pages * MUCH_FREE and wasted > ENOUGH_TO_MENTION:
        yield CheckResult("warning", "free pages", text, "SQLite reuses them; snapshots contain them too")
    else:
        yield CheckResult("ok", "free pages", text)


def _of_refused_read(db: Path, error: DatabaseError) -> CheckResult:
    if size_of(sidecar(db, "-journal")) and "damaged" not in error.message:
        return CheckResult("warning", "integrity", "not checked: the next start rolls back a journal first")
    return _from_error("integrity", error)


def _from_error(topic: str, error: DatabaseError) -> CheckResult:
    return CheckResult("error", topic, "; ".join((error.message, *error.details)), error.hint)
