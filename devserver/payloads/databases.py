"""The databases that this user has besides a running server's own: of other instances, snapshots, backups.

Whoever brings one back needs the payloads that it refers to. A copy keeps the id (the cluster id) of the server that it
was made of, so its payloads are among that server's.
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
    """A database file, what it is in words, how it may be opened, and the address that a server answers at which works
    on it (None: none does).
    """

    path: Path
    label: str
    mode: Literal["ro", "immutable"] = "ro"
    address: str | None = None


def databases(paths: Paths) -> Iterator[ServerDatabase]:
    """All of them that are known: what was copied elsewhere by hand is not.

    Raises:
        DevServerError: An instance's record or a folder cannot be read.
    """
    known = set()
    for folder in InstanceFolder.all(paths):
        record = folder.read_record()
        if record is not None:
            known.add(record.database)
            address = record.address if record.running() else None
            yield ServerDatabase(record.database, f"the instance {folder.name}", address=address)
    for name in _with_data(paths):
        if paths.database(name) not in known:
            yield ServerDatabase(paths.database(name), f"the instance {name}")
        yield from _saved(paths, name)


def _saved(paths: Paths, name: str) -> Iterator[ServerDatabase]:
    from ..database import snapshots

    for each in snapshots.list_(paths.snapshots(name)):
        yield ServerDatabase(each.database, f"the snapshot {each.name} of {name}", "immutable")
    for path in sorted(paths.backups(name).glob("*.db")):
        yield ServerDatabase(path, f"the backup {path.name} of {name}", "immutable")


def databases_of_server(paths: Paths, server: str) -> list[ServerDatabase]:
    """Those that hold the state of the server with that id.

    Raises:
        DevServerError: One cannot be looked at.
    """
    return [each for each in databases(paths) if server_id_in(each) == server]


def server_id_in(database: ServerDatabase) -> str | None:
    """The id of the server that a database is of; None where there is none yet.

    Raises:
        DatabaseError: It cannot be read.
    """
    from ..database.header import size_of

    try:
        return _server_in(database) if size_of(database.path) else None
    except DatabaseError:
        if database.path.exists():
            raise
        return None  # it was removed meanwhile


def _server_in(database: ServerDatabase) -> str | None:
    from ..database.sqlite import connect

    with connect(database.path, database.mode) as connection:
        if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'cluster_metadata_info'").fetchone():
            for (data,) in connection.execute("SELECT data FROM cluster_metadata_info"):
                found = _ID.search(data)
                if found:
                    return found.group().decode()
    return None


def marked_values(database: ServerDatabase, marks: Collection[bytes]) -> Iterator[bytes]:
    """Every value in a database that has one of the marks in it, wherever the server keeps it.

    Raises:
        DatabaseError: It cannot be read.
    """
    from ..database.sqlite import connect

    tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'"
    with connect(database.path, database.mode) as connection:
        for (table,) in connection.execute(tables).fetchall():
            for row in connection.execute(f'SELECT * FROM "{table}"'):  # noqa: S608 - a name of the database's own
                for value in row:
                    if isinstance(value, bytes) and any(mark in value for mark in marks):
                        yield value


def _with_data(paths: Paths) -> list[str]:
    """The instances that have a folder of data, also those whose record is gone."""
    try:
        return sorted(each.name for each in paths.data.iterdir() if each.is_dir() and each.name[0] not in "._")
    except FileNotFoundError:
        return []
