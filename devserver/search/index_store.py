"""The index on this machine: where its file is, and what becomes of one that is damaged, newer, full or read-only.

A search never fails for its index: it continues without one, and notes say why.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from ..errors import DevServerError
from ..system.filelocks import LockedFile
from ..system.files import private_folder
from . import schema
from .index import MIB, Index, RunFacts
from .indexed_step import IndexedStep

T = TypeVar("T")

FILE = "histories.db"
MOST_BYTES = 1024 * MIB
BUSY_SECONDS = 5.0
SIDECARS = ("", "-wal", "-shm", "-journal")


class IndexStore:
    """The file below `folder`, opened when it is first needed; `folder` None: no file at all.

    Args:
        most_bytes: The bound of the file; the runs least worth keeping are removed where it is reached.
    """

    def __init__(self, folder: Path | None, most_bytes: int = MOST_BYTES) -> None:
        self._path = folder / FILE if folder is not None else None
        self._most = most_bytes
        self._index: Index | None = None
        self._server = 0
        self.notes: list[str] = []

    def open(self, cluster: str, namespace: str, *, rebuild: bool = False) -> None:
        """Open the index of a cluster's namespace; with `rebuild`, clear it first."""
        if self._path is None:
            return
        for _ in range(2):  # a damaged file is recreated once
            try:
                self._index = self._index or self._opened(self._path)
                if self._index is not None:
                    self._server = self._index.server(cluster, namespace)
                    if rebuild:
                        self._index.clear(self._server)
            except DevServerError as error:
                self._without(error.message)
            except sqlite3.Error as error:
                if self._fails(error):
                    continue
            return

    def known(self, runs: Sequence[RunFacts]) -> dict[str, int]:
        """The number of each run whose indexed state is current: run id -> number."""
        return self._tried(lambda index: index.known(self._server, runs), {})

    def add(self, run: RunFacts, steps: Sequence[IndexedStep]) -> int | None:
        """Keep a closed run; its number, or None where it is not kept."""
        return self._tried(lambda index: index.add(self._server, run, steps), None)

    def ask(self, question: Callable[[Index], T], otherwise: T) -> T:
        """What the index answers, or `otherwise` where there is none, or it cannot be read any more."""
        return self._tried(question, otherwise)

    def close(self) -> None:
        """Close the file."""
        if self._index is not None:
            with contextlib.suppress(sqlite3.Error):
                self._index.close()
            self._index = None

    def _tried(self, question: Callable[[Index], T], otherwise: T) -> T:
        if self._index is None:
            return otherwise
        try:
            return question(self._index)
        except sqlite3.Error as error:
            self._fails(error)
            return otherwise

    def _fails(self, error: sqlite3.Error) -> bool:
        """Continue without the index; whether the file was damaged and is gone, so that a new one can be made."""
        self.close()
        # Its subclasses are for what is around the file: locked, full, not to be written.
        if type(error) is sqlite3.DatabaseError and self._path is not None and _removed(self._path):
            self.notes.append(f"the index {self._path} cannot be read ({error}) and is rebuilt")
            return True
        self._without(f"{self._path}: {error}")
        return False

    def _without(self, why: str) -> None:
        self.notes.append(f"the index cannot be used, so every history is read: {why}")

    def _opened(self, path: Path) -> Index | None:
        private_folder(path.parent)
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
        try:
            if not _prepared(connection):
                connection.close()
                self._without(f"{path} was written by a newer devserver")
                return None
        except BaseException:
            connection.close()
            raise
        return Index(connection, self._most)


def _prepared(connection: sqlite3.Connection) -> bool:
    """See that the tables are ours; False: they are a newer version's."""
    if schema.version(connection) == 0:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA cache_size = -32768")
    if schema.version(connection) > schema.VERSION:
        return False
    if schema.version(connection) == 0:
        with _exclusively(connection):
            if schema.version(connection) == 0:
                schema.create(connection)
    if schema.version(connection) < schema.VERSION:
        raise sqlite3.DatabaseError("an older devserver's")
    connection.execute("SELECT count(*) FROM (SELECT rowid FROM texts LIMIT 1)").fetchone()
    return True


@contextlib.contextmanager
def _exclusively(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _removed(path: Path) -> bool:
    """Remove a damaged file, unless another process is just doing so."""
    try:
        with LockedFile.attempt(path.with_suffix(".lock")) or contextlib.nullcontext() as lock:
            if lock is None:
                return False
            for suffix in SIDECARS:
                with contextlib.suppress(FileNotFoundError):
                    path.with_name(path.name + suffix).unlink()
    except (OSError, DevServerError):
        return False
    return True
