"""A real, small database for each region: an SQLite file with the old table of orders and the new one."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from devserver.rehearsal import ledger

ROWS = 400  # before the migration begins
SCHEMA = """
create table if not exists old (id integer primary key, amount integer);
create table if not exists new (id integer primary key, amount integer);
"""
WRITE_BOTH = "create trigger both after insert on old begin insert into new values (new.id, new.amount); end"


class Orders:
    """The orders of a region. Each method is one transaction."""

    def __init__(self, folder: Path, region: str) -> None:
        self._file = folder / f"{region}.db"
        if not self._file.exists():
            with closing(sqlite3.connect(self._file)) as orders, orders:
                orders.executescript(SCHEMA)
                orders.executemany(
                    "insert into old values (?, ?)", [(number, 7 * number) for number in range(1, ROWS + 1)]
                )

    @classmethod
    def here(cls, region: str) -> Orders:
        """The orders of this run, next to the rehearsal's ledger."""
        return cls(Path(os.environ.get(ledger.FILE, tempfile.gettempdir() + "/ledger.jsonl")).parent, region)

    def write_both(self) -> bool:
        """Write to both tables from now on; False if this was already on."""
        with self._transaction() as orders:
            if _exists(orders, "both"):
                return False
            orders.execute(WRITE_BOTH)
            return True

    def customer_buys(self, amount: int) -> None:
        """A customer buys something during the migration."""
        with self._transaction() as orders:
            if _exists(orders, "cut_over"):
                orders.execute("insert into new (amount) values (?)", (amount,))
            else:
                orders.execute("insert into old (amount) values (?)", (amount,))

    def copy(self, after: int, count: int) -> int:
        """Copy a number of rows after an id to the new table; returns the last id, or 0 if no row is left."""
        with self._transaction() as orders:
            rows = orders.execute("select * from old where id > ? order by id limit ?", (after, count)).fetchall()
            orders.executemany("insert or replace into new values (?, ?)", rows)
            return int(rows[-1][0]) if rows else 0

    def differences(self) -> int:
        """Number of rows of the old table that are missing or different in the new table."""
        with self._transaction() as orders:
            return _number(orders, "select count(*) from (select * from old except select * from new)")

    def cut_over(self) -> bool:
        """Serve from the new table from now on; False if it already does."""
        with self._transaction() as orders:
            if _exists(orders, "cut_over"):
                return False
            orders.execute("create table cut_over (done)")
            return True

    def served(self) -> int:
        """Number of rows in the serving table."""
        with self._transaction() as orders:
            if _exists(orders, "cut_over"):
                return _number(orders, "select count(*) from new")
            return _number(orders, "select count(*) from old")

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._file, timeout=30, isolation_level=None)) as orders:
            orders.execute("begin immediate")
            yield orders
            orders.execute("commit")


def _number(orders: sqlite3.Connection, sql: str) -> int:
    return int(orders.execute(sql).fetchone()[0])


def _exists(orders: sqlite3.Connection, name: str) -> bool:
    return orders.execute("select 1 from sqlite_master where name = ?", (name,)).fetchone() is not None
