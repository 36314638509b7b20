"""The process that `faults.lock_database` starts: it locks a SQLite file until its standard input ends."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing

LOCKED = "locked"


def hold(db: str, patience: float) -> None:
    """Lock the file against all who write, say so, and hold on until whoever wanted it has enough or has died."""
    with closing(sqlite3.connect(f"file:{db}?mode=rw", uri=True, isolation_level=None, timeout=patience)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        print(LOCKED, flush=True)  # noqa: T201 - it is heard by `faults/locked.py`
        sys.stdin.read()
        connection.execute("ROLLBACK")


if __name__ == "__main__":
    hold(sys.argv[1], float(sys.argv[2]))
