"""The upgrade of an older database file: a backup, a new file with the old rows, one atomic replacement."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from ..errors import DatabaseError, DatabaseInUse, DatabaseTooOld
from ..system.files import private_folder
from ..system.timefmt import utc_for_names
from .retention import prune_backups
from .schema import Schema, quoted, read_schema
from .sqlite import (
    beside,
    connect,
    copy_whole,
    create_private,
    integrity,
    our_errors,
    refuse_damage,
    remove_leftovers,
    remove_whole,
    replace_file,
    settle,
    sync,
)
from .users import refuse_users
from .versions import named

UPGRADE = "upgrade"
BACKUP = "backup"

Note = Callable[[str], None]


def back_up(db: Path, backups: Path, version: str | None) -> Path:
    """A copy of `db` in `backups`, named after the version that wrote it and the time; checked."""
    private_folder(backups)
    name = f"{db.stem}-{version or 'unknown'}-{utc_for_names()}"
    with our_errors(backups):
        target = next(path for path in _numbered(backups, name) if not path.exists())
    for unfinished in backups.glob(f"*.db.{BACKUP}-*"):
        unfinished.unlink(missing_ok=True)
    aside = beside(target, BACKUP)  # what is killed meanwhile leaves no backup that is not whole
    copy_whole(db, aside)
    with connect(aside, "immutable") as connection:
        found = integrity(connection)
    if found:
        remove_whole(aside)
    refuse_damage(db, found)
    with our_errors(target):
        aside.replace(target)
    prune_backups(backups)
    return target


def _numbered(folder: Path, name: str) -> Iterator[Path]:
    yield folder / f"{name}.db"
    number = 2
    while True:
        yield folder / f"{name}-{number}.db"
        number += 1


def upgrade(db: Path, template: Path, backups: Path, *, found: str | None, wanted: str, note: Note) -> Path:
    """Bring `db`, written by server `found`, to the schema of `template`. The backup made before.

    Raises:
        DatabaseInUse: Another process has the file open.
        DatabaseTooOld: Its rows do not fit; `db` is as it was and the details name the backup.
    """
    refuse_users(db)
    backup = back_up(db, backups, found)
    note(f"backed up {db} to {backup}")
    remove_leftovers(db, UPGRADE)
    aside = beside(db, UPGRADE)
    try:
        with our_errors(aside):
            create_private(aside)
            shutil.copyfile(template, aside)
            shutil.copymode(db, aside)
        dropped = _fill(aside, backup)
        sync(aside)
        refuse_users(db)
        settle(db)
        replace_file(aside, db)
    except DatabaseError as error:
        raise _failed(db, backup, found, wanted, error) from error
    finally:
        remove_whole(aside)
    note(f"upgraded {db} from {named(found)} to {wanted}")
    if dropped:
        note(f"server {wanted} does not use {', '.join(dropped)}; the backup keeps them")
    return backup


def _fill(aside: Path, old: Path) -> list[str]:
    """Exchange the rows of `aside` for those of `old`; what of `old` has no place there."""
    schema, before = read_schema(aside), read_schema(old)
    with connect(aside) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("ATTACH ? AS old", (f"{old.absolute().as_uri()}?mode=ro&immutable=1",))
        connection.execute("BEGIN IMMEDIATE")
        for table in schema.columns:
            # Those of new tables too: they tell of a server that was never here.
            connection.execute(f"DELETE FROM main.{quoted(table)}")  # noqa: S608 - names out of the schema
        for table in schema.columns.keys() & before.columns.keys():
            _copy_table(connection, table, schema, before)
        for table in schema.full_text:
            _index_again(connection, table)
        connection.execute("COMMIT")
        connection.execute("DETACH old")
        refuse_damage(aside, integrity(connection))
    with connect(old, "immutable") as connection:
        return sorted(_without_place(connection, schema, before))


def _copy_table(connection: sqlite3.Connection, table: str, schema: Schema, before: Schema) -> None:
    known = schema.plain_columns(table)
    names = ", ".join(quoted(name) for name in before.plain_columns(table) if name in known)
    new, old = f"main.{quoted(table)}", f"old.{quoted(table)}"
    connection.execute(f"INSERT INTO {new} ({names}) SELECT {names} FROM {old}")  # noqa: S608
    counts = [connection.execute(f"SELECT count(*) FROM {item}").fetchone()[0] for item in (old, new)]  # noqa: S608
    if counts[0] != counts[1]:
        raise DatabaseError(f"{counts[1]} of {counts[0]} rows of {table} came over")


def _index_again(connection: sqlite3.Connection, table: str) -> None:
    name = quoted(table)
    connection.execute(f"INSERT INTO main.{name}({name}) VALUES ('rebuild')")  # noqa: S608
    connection.execute(f"INSERT INTO main.{name}({name}, rank) VALUES ('integrity-check', 1)")  # noqa: S608


def _without_place(connection: sqlite3.Connection, schema: Schema, before: Schema) -> Iterator[str]:
    for table in before.columns:
        if table not in schema.columns:
            count = connection.execute(f"SELECT count(*) FROM {quoted(table)}").fetchone()[0]  # noqa: S608
            if count:
                yield f"{table} ({count} rows)"
        else:
            known = schema.columns[table]
            yield from (f"{table}.{column}" for column in before.plain_columns(table) if column not in known)


def _failed(db: Path, backup: Path, found: str | None, wanted: str, error: DatabaseError) -> DatabaseError:
    if isinstance(error, DatabaseInUse):
        with contextlib.suppress(OSError):
            backup.unlink()
        return error
    return DatabaseTooOld(
        f"the database {db}, written by {named(found)}, could not be upgraded for server {wanted}",
        details=[str(error), f"the file is as it was; a backup is {backup}"],
        hint="use the version that wrote it (--version), or another file with --db-filename",
    )
