"""Faults of the server's writes: its database is locked by another process, its disk is full."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import struct
import subprocess
import sys
from collections.abc import Coroutine, Iterator
from contextlib import AsyncExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from io import FileIO
from pathlib import Path
from typing import Any, NamedTuple

from ...system.parent_death import bound_to_parent
from ..environment.run_context import RunContext
from ..environment.sqlite_lock_main import LOCKED
from ..errors import FaultImpossible
from ..scenario.arguments import seconds
from ..scenario.events import TriggerEvent

PATIENCE_SECONDS = 5.0
LOG_ROOM = 65536  # bytes that the server's log may still grow by; SQLite's own log has none
WAL_HEADER, FRAME_HEADER = 32, 24  # bytes
# Offsets in -shm: the number of used frames, the salt, which a restart of the log changes, the number of frames that
# stand in the database too. The first 48 bytes stand there twice; both are equal unless a process is writing them.
LAST_FRAME, SALT, BACKFILLED, HEADER_BYTES = 16, 32, 96, 48
REFUSED = "disk I/O error"


@dataclass(frozen=True)
class LockDatabase:
    """Another process locks the database: the server can read, and its writes fail."""

    seconds: float

    async def begin(self, context: RunContext, trigger: TriggerEvent) -> Coroutine[Any, Any, None]:
        """Lock the database; the rest unlocks it."""
        async with context.outage() as end:
            if not context.environment.server.running:
                raise FaultImpossible("the server is already down")
            locker = await _started(context.environment.server.database)
            end.push_async_callback(asyncio.to_thread, _let_go, locker)
            end.callback(context.timeline.end, context.timeline.note("database", "locked"))
            return _lasts(context, self.seconds, end.pop_all())

    def __str__(self) -> str:
        return f"the database is locked by another process for {self.seconds:g} s"


@dataclass(frozen=True)
class FillDisk:
    """The kernel refuses writes that make the server's files grow, as on a full disk."""

    seconds: float

    async def begin(self, context: RunContext, trigger: TriggerEvent) -> Coroutine[Any, Any, None]:
        """Limit the file size; the rest lifts the limit."""
        if sys.platform != "linux":
            raise FaultImpossible("fill_disk needs Linux (prlimit)")
        async with context.outage() as end:
            pid = context.environment.server.pid
            if pid is None:
                raise FaultImpossible("the server is already down")
            written = context.environment.log.stat().st_size
            end.enter_context(_full(pid, context.environment.server.database, context.environment.log))
            end.callback(context.timeline.end, context.timeline.note("database", "disk full"))
            return self._until_felt(context, written, _lasts(context, self.seconds, end.pop_all()))

    async def _until_felt(self, context: RunContext, written: int, rest: Coroutine[Any, Any, None]) -> None:
        await rest
        with context.environment.log.open("rb") as log:
            log.seek(written)
            if REFUSED.encode() not in log.read():
                raise FaultImpossible("no write of the server failed meanwhile: it wrote nothing, or had space left")

    def __str__(self) -> str:
        return f"the server's disk is full for {self.seconds:g} s (its files may not grow: RLIMIT_FSIZE)"


async def _lasts(context: RunContext, seconds: float, end: AsyncExitStack) -> None:
    async with end:
        await context.lasts(seconds)


# Locked


async def _started(db: Path) -> subprocess.Popen[str]:
    """The process of `_locker`. If this is cancelled while it starts, it is ended."""
    starting = asyncio.ensure_future(asyncio.to_thread(_locker, db))
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        with suppress(FaultImpossible):
            await asyncio.to_thread(_let_go, await starting)
        raise


def _locker(db: Path) -> subprocess.Popen[str]:
    """Start a process that holds the lock, and that ends with us.

    Raises:
        FaultImpossible: The database cannot be locked.
    """
    module = f"{__package__.rpartition('.')[0]}.environment.sqlite_lock_main"
    locker = subprocess.Popen(
        bound_to_parent([sys.executable, "-m", module, str(db), str(PATIENCE_SECONDS)]),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C is the rehearsal's to handle
    )
    assert locker.stdout is not None  # noqa: S101 - a pipe was asked for
    if locker.stdout.readline().strip() != LOCKED:
        _, problem = locker.communicate()
        raise FaultImpossible(f"cannot lock the database: {(problem.splitlines() or ['?'])[-1]}")
    return locker


def _let_go(locker: subprocess.Popen[str]) -> None:
    try:
        locker.communicate(timeout=PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        locker.kill()
        locker.communicate()


# Full


@contextmanager
def _full(pid: int, db: Path, log: Path) -> Iterator[None]:
    """Leave no space after the used part of SQLite's log, and keep the server from restarting the log.

    The log's index stays open for as long as the connection: when a process closes any file, it loses all its locks on
    that file, SQLite's included.
    """
    import resource

    with db.with_name(f"{db.name}-shm").open("rb", buffering=0) as index, closing(_connected(db)) as connection:
        (page,) = connection.execute("PRAGMA page_size").fetchone()
        _read_from_log(connection, index)
        room = log.stat().st_size + LOG_ROOM
        _lengthen(db, index, page, room)
        limit = max(_used(index, page), room)
        before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (limit, before[1]))
        try:
            yield
        finally:
            with suppress(ProcessLookupError):  # it ended by itself
                resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


def _connected(db: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(db, isolation_level=None, timeout=PATIENCE_SECONDS, check_same_thread=False)
    connection.execute("PRAGMA wal_autocheckpoint=0")
    return connection


def _read_from_log(connection: sqlite3.Connection, index: FileIO) -> None:
    """Begin a transaction that reads from the log: the server cannot restart the log before it ends.

    Where all of the log stands in the database too, because of a checkpoint since our last write, SQLite reads only
    from the database. That is seen by the counters, or by the salt if the server has restarted the log meanwhile.
    """
    while True:
        _write_something(connection)
        before = _log_state(index)
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        now = _log_state(index)
        if now.salt == before.salt and now.backfilled < now.frames:
            return
        connection.execute("COMMIT")


def _lengthen(db: Path, index: FileIO, page: int, least: int) -> None:
    """Write the same page until SQLite's log uses `least` bytes: one limit holds for all files of the server."""
    with closing(_connected(db)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        while _used(index, page) < least:
            _write_something(connection)


def _write_something(connection: sqlite3.Connection) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    connection.execute(f"PRAGMA user_version={int(version)}")


class _LogState(NamedTuple):
    frames: int
    salt: int
    backfilled: int


def _log_state(index: FileIO) -> _LogState:
    """What the index of the database's log says of it."""
    while True:
        data = os.pread(index.fileno(), BACKFILLED + 4, 0)
        if data[:HEADER_BYTES] == data[HEADER_BYTES:BACKFILLED]:
            (frames,), (salt,) = struct.unpack_from("=I", data, LAST_FRAME), struct.unpack_from("=Q", data, SALT)
            return _LogState(frames, salt, *struct.unpack_from("=I", data, BACKFILLED))


def _used(index: FileIO, page: int) -> int:
    """The used bytes of the database's log."""
    return WAL_HEADER + _log_state(index).frames * (FRAME_HEADER + page)


def lock_database(for_: float | timedelta) -> LockDatabase:
    """Another process locks the database for this time: the server can read, and its writes fail."""
    return LockDatabase(seconds(for_, "lock_database"))


def fill_disk(for_: float | timedelta) -> FillDisk:
    """The server's disk is full for this time: the kernel refuses writes that make one of its files grow.

    It needs neither root nor a disk: the running server's limit RLIMIT_FSIZE is lowered, so SQLite reports "disk I/O
    error" where a real disk would be "full". Linux only; elsewhere the verdict is unknown.
    """
    return FillDisk(seconds(for_, "fill_disk"))
