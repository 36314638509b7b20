"""The schema of a database file, and the difference between two schemas. Temporal has no version table to read."""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from ..errors import DatabaseError
from .sqlite import connect

# Tables that every database of Temporal has had: without them the file is someone else's.
OF_TEMPORAL = frozenset({"namespaces", "executions", "history_node", "executions_visibility"})
SHADOW_ENDINGS = ("_config", "_content", "_data", "_docsize", "_idx")
PLAIN = 0  # `hidden` in PRAGMA table_xinfo: neither generated nor of a virtual table's own

Names = tuple[str, ...]


@dataclass(frozen=True)
class Schema:
    """The ordinary tables with their columns, the full-text tables, and the SQL of everything."""

    columns: dict[str, dict[str, int]]  # table -> column -> hidden
    full_text: Names
    sql: frozenset[str]

    @classmethod
    def read(cls, connection: sqlite3.Connection) -> Schema:
        """The schema of an open database."""
        rows = connection.execute(
            "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite!_%' ESCAPE '!'"
        ).fetchall()
        full_text = tuple(
            name for kind, name, sql in rows if kind == "table" and _words(sql).startswith("create virtual")
        )
        special = {name + ending for name in full_text for ending in ("", *SHADOW_ENDINGS)}
        shadows = special - set(full_text)
        tables = [name for kind, name, _ in rows if kind == "table" and name not in special]
        return cls(
            columns={name: _columns(connection, name) for name in tables},
            full_text=full_text,
            sql=frozenset(f"{kind} {name} {_words(sql)}" for kind, name, sql in rows if name not in shadows),
        )

    def plain_columns(self, table: str) -> list[str]:
        """The columns of `table` that hold data of their own; generated ones follow from them."""
        return [name for name, hidden in self.columns[table].items() if hidden == PLAIN]


@dataclass(frozen=True)
class Difference:
    """What a file lacks of a schema, and what it has in addition."""

    missing: Names
    extra: Names
    other_sql: bool

    @property
    def lacking(self) -> bool:
        """Whether a server of that schema would miss something; more tables do no harm."""
        return bool(self.missing) or self.other_sql


def compare(found: Schema, wanted: Schema) -> Difference:
    """The difference of `found` from `wanted`, without indexes that a user added."""
    return Difference(
        missing=_lacking(found, wanted),
        extra=_lacking(wanted, found),
        other_sql=not wanted.sql <= found.sql,
    )


def read_schema(db: Path) -> Schema:
    """The schema of `db`.

    Raises:
        DatabaseError: It is an SQLite database, but not a Temporal database.
    """
    with connect(db) as connection:
        schema = Schema.read(connection)
    if not schema.columns.keys() >= OF_TEMPORAL:
        lacking = ", ".join(sorted(OF_TEMPORAL - schema.columns.keys()))
        raise DatabaseError(
            f"{db} is an SQLite database, but not a Temporal database",
            details=[f"missing tables: {lacking}"],
            hint="use another file with --db-filename; this one was not changed",
        )
    return schema


def _columns(connection: sqlite3.Connection, table: str) -> dict[str, int]:
    # table_info would hide generated columns.
    return {str(row[1]): int(row[6]) for row in connection.execute(f"PRAGMA table_xinfo({quoted(table)})")}


def _lacking(schema: Schema, wanted: Schema) -> Names:
    lacking: list[str] = []
    for table, columns in wanted.columns.items():
        if table not in schema.columns:
            lacking.append(table)
        else:
            lacking += [f"{table}.{column}" for column in columns if column not in schema.columns[table]]
    return tuple(sorted(lacking))


def _words(sql: str) -> str:
    return re.sub(r"\s+", " ", sql).strip().lower()


def quoted(name: str) -> str:
    """`name` as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
