"""The timer tasks in a database file, which the server runs at their time, or at once where it has passed.

A row's own time decides, not the time in its data. The server removes rows some time after it has run them.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .protobuf import Message

USER_TIMER = 14
RUN_TIMEOUT = 15
DELETE_HISTORY = 16
ACTIVITY_RETRY = 17
WORKFLOW_BACKOFF = 18
EXECUTION_TIMEOUT = 29
CHASM_PURE = 32
CHASM = 33


@dataclass(frozen=True)
class TimerTask:
    """One row. Ids are as text; `namespace_id` and `run_id` are UUIDs."""

    row: int
    shard: int
    kind: int
    namespace_id: str
    workflow_id: str
    run_id: str
    event_id: int
    attempt: int

    @property
    def key(self) -> tuple[int, bytes, str, bytes]:
        """The run's key in the server's other tables."""
        return self.shard, id_bytes(self.namespace_id), self.workflow_id, id_bytes(self.run_id)


def timer_tasks(connection: sqlite3.Connection, until: float, *, after: float = 0.0) -> Iterator[TimerTask]:
    """The tasks that are due after `after` and not after `until` (seconds since the epoch)."""
    for (shard,) in connection.execute("SELECT shard_id FROM shards").fetchall():
        rows = connection.execute(
            "SELECT rowid, data FROM timer_tasks WHERE shard_id = ? "
            "AND visibility_timestamp > ? AND visibility_timestamp <= ? AND data_encoding = 'Proto3'",
            (shard, server_time(after), server_time(until)),
        )
        for row, data in rows:
            yield _task(row, shard, data)


def move(connection: sqlite3.Connection, tasks: Iterable[TimerTask], until: float) -> None:
    """Give tasks another time, in one transaction. No server may use the file."""
    when = server_time(until)
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(
        "UPDATE timer_tasks SET visibility_timestamp = ? WHERE rowid = ?", ((when, task.row) for task in tasks)
    )
    connection.execute("COMMIT")


def server_time(seconds: float) -> str:
    """A time as the server writes it, which compares the text too. It omits zeros of a fraction, so there is none."""
    return time.strftime("%Y-%m-%d %H:%M:%S+00:00", time.gmtime(seconds))


def id_bytes(text: str) -> bytes:
    """A UUID as the server's tables have it; empty if it is none."""
    try:
        return bytes.fromhex(text.replace("-", ""))
    except ValueError:
        return b""


def _task(row: int, shard: int, data: bytes) -> TimerTask:
    message = Message(data)
    return TimerTask(
        row=row,
        shard=shard,
        kind=message.number(4),
        namespace_id=message.text(1),
        workflow_id=message.text(2),
        run_id=message.text(3),
        event_id=message.number(9),
        attempt=message.number(8),
    )
