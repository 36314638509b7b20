"""Unfinished databases: the server was killed while creating the file, so it has some empty tables."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from .schema import Schema, quoted
from .sqlite import connect

COUNTER = "namespace_metadata"  # the schema itself puts its one row there


def is_unfinished(db: Path, template: Callable[[], Path]) -> bool:
    """Whether `db` contains only empty tables of the `template`, so that nothing is lost with it.

    A server uses such a file as if it were complete, and fails; it creates tables only if there is no file.
    """
    with connect(db) as connection:
        found = Schema.read(connection)
        numbers = [connection.execute(f"PRAGMA {name}").fetchone() for name in ("user_version", "application_id")]
        if numbers != [(0,), (0,)]:
            return False  # another program's mark
        for table in found.columns.keys() - {COUNTER}:
            if connection.execute(f"SELECT 1 FROM {quoted(table)} LIMIT 1").fetchone():  # noqa: S608 - out of the schema
                return False
    with connect(template(), "immutable") as connection:
        return found.sql <= Schema.read(connection).sql
