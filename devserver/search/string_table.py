"""The names and failures of an index, each stored once under a number, and removed when unused."""

from __future__ import annotations

import hashlib
import sqlite3

from .failure_texts import IndexedFailure


class StringTable:
    """The words and failures in the database of a connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self._words: dict[str, int] = {}

    def word(self, text: str) -> int | None:
        """The number of a name; None for an empty one."""
        if not text:
            return None
        if text not in self._words:
            self._db.execute("INSERT OR IGNORE INTO words (text) VALUES (?)", (text,))
            self._words[text] = self._db.execute("SELECT id FROM words WHERE text = ?", (text,)).fetchone()[0]
        return self._words[text]

    def failure(self, failure: IndexedFailure | None, known: dict[IndexedFailure, int]) -> int | None:
        """The number of a failure, counting one more use; `known` are the failures of this run."""
        if failure is None:
            return None
        if failure not in known:
            known[failure] = self._number(failure)
        self._db.execute("UPDATE failures SET uses = uses + 1 WHERE id = ?", (known[failure],))
        return known[failure]

    def rolled_back(self) -> None:
        """The transaction was rolled back: forget its numbers."""
        self._words.clear()

    def release(self, run: int) -> None:
        """Remove the failures that only this run uses."""
        gone = self._db.execute(
            "SELECT count(*), which FROM (SELECT failure AS which FROM steps WHERE run = ?"
            " UNION ALL SELECT before FROM steps WHERE run = ?) WHERE which IS NOT NULL GROUP BY which",
            (run, run),
        ).fetchall()
        self._db.executemany("UPDATE failures SET uses = uses - ? WHERE id = ?", gone)
        if gone:
            self._db.execute("DELETE FROM texts WHERE rowid IN (SELECT id FROM failures WHERE uses <= 0)")
            self._db.execute("DELETE FROM failures WHERE uses <= 0")

    def _number(self, failure: IndexedFailure) -> int:
        digest = hashlib.sha256(failure.text.encode()).digest()
        row = self._db.execute("SELECT id FROM failures WHERE digest = ?", (digest,)).fetchone()
        if row is not None:
            return int(row[0])
        insert = "INSERT INTO failures (digest, line, uses) VALUES (?, ?, 0)"
        number = int(self._db.execute(insert, (digest, failure.line)).lastrowid or 0)
        self._db.execute("INSERT INTO texts (rowid, text) VALUES (?, ?)", (number, failure.text))
        return number
