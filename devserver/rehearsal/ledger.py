"""The ledger of real side effects: durable, shared by processes, and light enough to be imported by any runbook.

Where no rehearsal runs, `effect` does nothing.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlite3

FILE = "DEVSERVER_LEDGER"  # the environment variable that names the ledger's file
WAIT_SECONDS = 30.0

SCHEMA = """
create table if not exists effects (
    id integer primary key, at real not null, name text not null, key text not null, detail text not null,
    workflow_id text, activity text, activity_id text, attempt integer, pid integer not null
)
"""


@dataclass(frozen=True)
class Effect:
    """One side effect: `name` and `key` say which, `at` (seconds since the epoch) when, the rest who.

    `workflow_id`, `activity`, `activity_id` and `attempt` are None where no activity did it.
    """

    at: float
    name: str
    key: str
    detail: dict[str, Any]
    workflow_id: str | None
    activity: str | None
    activity_id: str | None
    attempt: int | None
    pid: int


def effect(name: str, key: object = "", **detail: object) -> None:
    """Note that a side effect has just happened: a node was added, a mail sent, a row written.

    Call it right after the effect, in an activity or in a script. `name` and `key` together say which effect it was:
    the same two once more is the same effect done twice. `detail` is shown in the report (JSON, or else its text).
    It is on disk when this returns, whatever is killed next.
    """
    file = os.environ.get(FILE)
    if file is None:
        return
    import time

    now = time.time()
    who = _who()
    with closing(_open(Path(file))) as ledger, ledger:
        ledger.execute(
            "insert into effects (at, name, key, detail, workflow_id, activity, activity_id, attempt, pid)"
            " values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (now, name, str(key), json.dumps(detail, default=str), *who, os.getpid()),
        )


def create(file: Path) -> None:
    """Make an empty ledger."""
    with closing(_open(file)) as ledger, ledger:
        ledger.execute(SCHEMA)


def read(file: Path, after: int = 0) -> list[Effect]:
    """What is in the ledger, in the order in which it was written, without the first `after` ones."""
    with closing(_open(file)) as ledger:
        rows = ledger.execute(
            "select at, name, key, detail, workflow_id, activity, activity_id, attempt, pid from effects"
            " order by id limit -1 offset ?",
            (after,),
        ).fetchall()
    return [Effect(row[0], row[1], row[2], json.loads(row[3]), *row[4:]) for row in rows]


def _open(file: Path) -> sqlite3.Connection:
    import sqlite3

    ledger = sqlite3.connect(file, timeout=WAIT_SECONDS)
    ledger.execute("pragma journal_mode=wal")
    ledger.execute("pragma synchronous=normal")  # a killed process loses nothing; no power is lost in a rehearsal
    return ledger


def _who() -> tuple[str | None, str | None, str | None, int | None]:
    activity = sys.modules.get("temporalio.activity")  # a script has none, and loading it takes long
    if activity is None or not activity.in_activity():
        return None, None, None, None
    info = activity.info()
    return info.workflow_id, info.activity_type, info.activity_id, info.attempt


def main(words: list[str]) -> int:
    """Note an effect from a shell: `python -m devserver.rehearsal.ledger NAME [KEY]`."""
    if not 1 <= len(words) <= 2:
        sys.stderr.write("usage: python -m devserver.rehearsal.ledger NAME [KEY]\n")
        return 2
    effect(*words)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
