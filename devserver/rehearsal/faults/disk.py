"""Faults of the server's writes: its database is locked by another process, its disk is full."""

from __future__ import annotations

import asyncio
import sqlite3
import struct
import subprocess
import sys
from collections.abc import Coroutine, Iterator
from contextlib import AsyncExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from ...system.parent_death import bound_to_parent
from ..environment.run_context import RunContext
from ..environment.sqlite_lock_main import LOCKED
from ..errors import FaultImpossible
from ..scenario.arguments import seconds
from ..scenario.events import TriggerEvent

PATIENCE_SECONDS = 5.0
LOG_ROOM = 65536  # bytes that the server's log may still grow by; SQLite's own log has none
WAL_HEADER, FRAME_HEADER, LAST_FRAME = 32, 24, 16  # bytes; the last is where -shm says how many frames are in use
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
    """Leave no space after the used part of SQLite's log. The server cannot restart the log while we read from it."""
    import resource

    connection = _connected(db)
    try:
        _write_something(connection)  # only a reader of the log itself keeps the server from restarting it
        connection.execute("BEGIN")
        (page,) = connection.execute("PRAGMA page_size").fetchone()
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        room = log.stat().st_size + LOG_ROOM
        _lengthen(db, page, room)
        limit = max(_used(db, page), room)
        before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (limit, before[1]))
        try:
            yield
        finally:
            with suppress(ProcessLookupError):  # it ended by itself
                resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
    finally:
        connection.close()


def _connected(db: Path) -> sqlite3.Connection:
    return sqlite3.connect(db, isolation_level=None, timeout=PATIENCE_SECONDS, check_same_thread=False)


def _lengthen(db: Path, page: int, least: int) -> None:
    """Write the same page until SQLite's log uses `least` bytes: one limit holds for all files of the server."""
    with closing(_connected(db)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("PRAGMA wal_autocheckpoint=0")
        while _used(db, page) < least:
            _write_something(connection)


def _write_something(connection: sqlite3.Connection) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    connection.execute(f"PRAGMA user_version={int(version)}")


def _used(db: Path, page: int) -> int:
    """The used bytes of the database's log, according to its index."""
    index = db.with_name(f"{db.name}-shm").read_bytes()[: LAST_FRAME + 4]
    (frames,) = struct.unpack_from("=I", index, LAST_FRAME)
    return int(WAL_HEADER + frames * (FRAME_HEADER + page))


def lock_database(for_: float | timedelta) -> LockDatabase:
    """Another process locks the database for this time: the server can read, and its writes fail."""
    return LockDatabase(seconds(for_, "lock_database"))


def fill_disk(for_: float | timedelta) -> FillDisk:
    """The server's disk is full for this time: the kernel refuses writes that make one of its files grow.

    It needs neither root nor a disk: the running server's limit RLIMIT_FSIZE is lowered, so SQLite reports "disk I/O
    error" where a real disk would be "full". Linux only; elsewhere the verdict is unknown.
    """
    return FillDisk(seconds(for_, "fill_disk"))
