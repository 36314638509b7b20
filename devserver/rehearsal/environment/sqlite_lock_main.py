"""The process that `faults.lock_database` starts: it locks a SQLite file until its standard input is closed."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

LOCKED = "locked"


def lock(db: str, patience: float) -> None:
    """Lock the file against writers, print that, and keep the lock until standard input is closed."""
    uri = f"{Path(db).absolute().as_uri()}?mode=rw"
    with closing(sqlite3.connect(uri, uri=True, isolation_level=None, timeout=patience)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        print(LOCKED, flush=True)  # noqa: T201 - `faults/disk.py` waits for it
        sys.stdin.read()
        connection.execute("ROLLBACK")


if __name__ == "__main__":
    lock(sys.argv[1], float(sys.argv[2]))
