"""One SQLite database of runs and their steps: it has all of a run or nothing, and the file has a limit."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from . import schema
from . import sql as matching
from .failure_texts import IndexedFailure
from .indexed_step import IndexedStep
from .query import SearchQuery
from .string_table import StringTable

Row = tuple[object, ...]
MIB = 1 << 20
ROOM = 0.9
_STEP = "INSERT INTO steps VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


@dataclass(frozen=True)
class RunFacts:
    """A run as lists show it. The history of a closed run is unchanged while all of this is unchanged.

    `closed_at` is microseconds since 1970, 0 while it is open; `events` is its history's length as lists tell it.
    """

    workflow_id: str
    run_id: str
    workflow_type: str
    status: int
    closed_at: int
    events: int


class Index:
    """Runs and steps of several servers in one database.

    Raises:
        sqlite3.Error: From every method; `IndexStore` handles it.
    """

    def __init__(self, connection: sqlite3.Connection, most_bytes: int | None = None) -> None:
        self._db = connection
        self._most = most_bytes
        self._texts = StringTable(connection)

    @classmethod
    def in_memory(cls) -> Index:
        """An index in memory."""
        connection = sqlite3.connect(":memory:", isolation_level=None)
        schema.create(connection)
        return cls(connection)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def server(self, cluster: str, namespace: str) -> int:
        """The number of a cluster's namespace; marks it as used now."""
        with self._writing():
            self._db.execute(
                "INSERT INTO servers (cluster, namespace, used) VALUES (?, ?, ?)"
                " ON CONFLICT (cluster, namespace) DO UPDATE SET used = excluded.used",
                (cluster, namespace, int(time.time())),
            )
            row = self._db.execute("SELECT id FROM servers WHERE cluster = ? AND namespace = ?", (cluster, namespace))
            number: int = row.fetchone()[0]
        return number

    def known(self, server: int, runs: Sequence[RunFacts]) -> dict[str, int]:
        """The numbers of these runs, as far as the index has them unchanged: run id -> number."""
        rows = self._db.execute(
            "SELECT run_id, id, closed_at, events FROM runs"
            " WHERE server = ? AND run_id IN (SELECT value FROM json_each(?))",
            (server, json.dumps([run.run_id for run in runs])),
        )
        found = {run_id: (number, closed_at, events) for run_id, number, closed_at, events in rows}
        same = ((run, found.get(run.run_id)) for run in runs)
        return {run.run_id: each[0] for run, each in same if each and each[1:] == (run.closed_at, run.events)}

    def add(self, server: int, run: RunFacts, steps: Sequence[IndexedStep]) -> int | None:
        """Write a run in one transaction; its number, or None if there is no room."""
        if not self._has_room(server, run):
            return None
        with self._writing():
            old = self._db.execute("SELECT id FROM runs WHERE server = ? AND run_id = ?", (server, run.run_id))
            for (number,) in old.fetchall():
                self._remove(number)
            cursor = self._db.execute(
                "INSERT INTO runs (server, run_id, workflow_id, workflow_type, status, closed_at, events)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (server, run.run_id, run.workflow_id, run.workflow_type, run.status, run.closed_at, run.events),
            )
            number = int(cursor.lastrowid or 0)
            failures: dict[IndexedFailure, int] = {}
            self._db.executemany(_STEP, (self._row(number, step, failures) for step in steps))
        return number

    def find(self, wanted: SearchQuery, runs: Sequence[int], most: int, now: int | None = None) -> list[Row]:
        """At most `most` steps that fit, in the order of `runs`, each run's newest first; see `matching._COLUMNS`.

        Args:
            now: Until when open steps last, microseconds since 1970; None is the current time.
        """
        sql, values = matching.statement(wanted, time.time_ns() // 1000 if now is None else now)
        return self._db.execute(sql, {**values, "runs": json.dumps(runs), "most": most}).fetchall()

    def has_untimed(self, runs: Sequence[int]) -> bool:
        """Whether one of the runs has a step whose duration is not known."""
        sql = "SELECT 1 FROM steps WHERE run IN (SELECT value FROM json_each(?)) AND NOT timed LIMIT 1"
        return self._db.execute(sql, (json.dumps(runs),)).fetchone() is not None

    def words(self) -> list[str]:
        """Every name, identity and build id in the index."""
        return [text for (text,) in self._db.execute("SELECT text FROM words")]

    def remove(self, number: int) -> None:
        """Remove a run."""
        with self._writing():
            self._remove(number)

    def clear(self, server: int) -> None:
        """Remove all runs of a server."""
        with self._writing():
            for (number,) in self._db.execute("SELECT id FROM runs WHERE server = ?", (server,)).fetchall():
                self._remove(number)
        self._db.execute("PRAGMA incremental_vacuum").fetchall()

    @property
    def used_bytes(self) -> int:
        """The size of the database without free pages."""
        pages, free, size = (
            self._db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)

    def _has_room(self, server: int, run: RunFacts) -> bool:
        """Whether a run may be added. At the limit other runs are removed first.

        These are runs of the servers that were searched least recently, then runs of this server that closed earlier.
        """
        if self._most is None or self.used_bytes < self._most:
            return True
        rows = self._db.execute(
            "SELECT runs.id FROM runs JOIN servers ON servers.id = runs.server WHERE server != ? OR closed_at < ?"
            " ORDER BY server = ?, servers.used, closed_at",
            (server, run.closed_at, server),
        ).fetchall()
        with self._writing():
            for (number,) in rows:
                if self.used_bytes <= self._most * ROOM:
                    break
                self._remove(number)
        self._db.execute("PRAGMA incremental_vacuum").fetchall()
        return self.used_bytes < self._most

    def _remove(self, number: int) -> None:
        self._texts.release(number)
        self._db.execute("DELETE FROM steps WHERE run = ?", (number,))
        self._db.execute("DELETE FROM runs WHERE id = ?", (number,))

    def _row(self, run: int, step: IndexedStep, failures: dict[IndexedFailure, int]) -> Row:
        return (
            run,
            step.id,
            step.kind,
            self._texts.word(step.name),
            step.key,
            step.opened_type,
            step.opened_at,
            step.started_id,
            step.started_type,
            step.started_at,
            step.closed_id,
            step.closed_type,
            step.closed_at,
            step.attempt,
            self._texts.word(step.identity),
            self._texts.word(step.build),
            self._texts.failure(step.failure, failures),
            self._texts.failure(step.before, failures),
            self._texts.word(step.note),
            step.timed,
        )

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """One transaction."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._texts.rolled_back()
            with contextlib.suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")
