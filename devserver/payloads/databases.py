"""The databases of this user: those of instances, snapshots and backups, and the references in them.

A restored copy needs the payloads that it refers to. It has the cluster id of the server that it was copied from, so
its payloads are in that server's folder.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..errors import DatabaseError
from ..instances.folder import InstanceFolder
from ..system.paths import Paths

_ID = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class ServerDatabase:
    """A database of a server, or a copy of one.

    Args:
        path: The file.
        label: What it is, for a person: `snapshot before of shop`.
        mode: How it can be opened.
        address: The address of the running server that uses it; None without one.
    """

    path: Path
    label: str
    mode: Literal["ro", "immutable"] = "ro"
    address: str | None = None


def databases(paths: Paths) -> Iterator[ServerDatabase]:
    """All known databases; copies made by hand are unknown.

    Raises:
        DevServerError: The record of an instance or a folder cannot be read.
    """
    known = set()
    for folder in InstanceFolder.all(paths):
        record = folder.read_record()
        if record is not None:
            known.add(record.database)
            address = record.address if record.running() else None
            yield ServerDatabase(record.database, f"instance {folder.name}", address=address)
    for name in _names_with_data(paths):
        if paths.database(name) not in known:
            yield ServerDatabase(paths.database(name), f"instance {name}")
        yield from _saved(paths, name)


def _saved(paths: Paths, name: str) -> Iterator[ServerDatabase]:
    from ..database import snapshots

    for snapshot in snapshots.list_(paths.snapshots(name)):
        yield ServerDatabase(snapshot.database, f"snapshot {snapshot.name} of {name}", "immutable")
    for path in sorted(paths.backups(name).glob("*.db")):
        yield ServerDatabase(path, f"backup {path.name} of {name}", "immutable")


def databases_of_server(paths: Paths, server: str) -> list[ServerDatabase]:
    """The databases of the server with that cluster id.

    Raises:
        DevServerError: A database cannot be read.
    """
    return [database for database in databases(paths) if server_id_in(database) == server]


def server_id_in(database: ServerDatabase) -> str | None:
    """The cluster id of a database's server; None if it has none yet.

    Raises:
        DatabaseError: The database cannot be read.
    """
    from ..database.header import size_of

    try:
        return _server_id(database) if size_of(database.path) else None
    except DatabaseError:
        if database.path.exists():
            raise
        return None  # it has just been removed


def _server_id(database: ServerDatabase) -> str | None:
    from ..database.sqlite import connect

    with connect(database.path, database.mode) as connection:
        if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'cluster_metadata_info'").fetchone():
            for (data,) in connection.execute("SELECT data FROM cluster_metadata_info"):
                match = _ID.search(data)
                if match:
                    return match.group().decode()
    return None


def marked_values(database: ServerDatabase, marks: Collection[bytes]) -> Iterator[bytes]:
    """Every value of a database, in any table, that contains one of the marks.

    Raises:
        DatabaseError: The database cannot be read.
    """
    from ..database.sqlite import connect

    tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'"
    with connect(database.path, database.mode) as connection:
        for (table,) in connection.execute(tables).fetchall():
            for row in connection.execute(f'SELECT * FROM "{table}"'):  # noqa: S608 - the name comes from the database itself
                for value in row:
                    if isinstance(value, bytes) and any(mark in value for mark in marks):
                        yield value


def _names_with_data(paths: Paths) -> list[str]:
    """The names of the instances that have a data folder, also of those without a record."""
    try:
        return sorted(path.name for path in paths.data.iterdir() if path.is_dir() and path.name[0] not in "._")
    except FileNotFoundError:
        return []
