"""Faults of the server's state: its database lost, or restored from a snapshot."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from ...database.sqlite import copy_whole, remove_whole
from ..environment.run_context import RunContext
from ..errors import FaultImpossible, ScenarioInvalid
from ..scenario.arguments import seconds
from ..scenario.events import TriggerEvent
from ..scenario.scenario import Scenario
from .server import back

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class LoseDatabase:
    """The server is killed and comes back with an empty database."""

    down: float
    start_again: bool

    async def begin(self, context: RunContext, trigger: TriggerEvent) -> Coroutine[Any, Any, None]:
        """Kill the server and remove the file; the rest restarts it."""
        async with context.outage() as end:
            await context.kill_server()
            await asyncio.to_thread(context.outages.server.replace_database)
            context.timeline.note("database", "lost")
            rest = back(context, self.down, end.pop_all())
            return self._start_again(context, rest) if self.start_again else rest

    async def _start_again(self, context: RunContext, rest: Coroutine[Any, Any, None]) -> None:
        await rest
        if not context.over.is_set():
            await context.start_runbook()

    def __str__(self) -> str:
        again = ", the runbook is started again" if self.start_again else ""
        return f"the server is killed, its database lost; it is back after {self.down:g} s with an empty one{again}"


@dataclass(frozen=True)
class SnapshotDatabase:
    """The database is copied while the server runs, as for a backup."""

    name: str

    async def begin(self, context: RunContext, trigger: TriggerEvent) -> None:
        """Copy the database."""
        async with context.outage():
            copy = _copy(context, self.name)
            await asyncio.to_thread(remove_whole, copy)
            await asyncio.to_thread(copy_whole, context.environment.server.database, copy)
            context.timeline.note("database", f"snapshot {self.name}")

    def __str__(self) -> str:
        return f"a snapshot of the database is made ({self.name})"


@dataclass(frozen=True)
class RestoreDatabase:
    """The server is killed and comes back with the snapshot: everything acknowledged since then is lost."""

    name: str
    down: float
    restart_worker: bool

    def check(self, scenario: Scenario) -> None:
        """Check that the plan makes that snapshot."""
        made = [
            action.name for step in scenario.plan for action in step.actions if isinstance(action, SnapshotDatabase)
        ]
        if self.name not in made:
            raise ScenarioInvalid(
                f"the plan of {scenario.name!r} restores the snapshot {self.name!r} but never makes it",
                hint="plan faults.snapshot_database() at an earlier moment",
            )

    async def begin(self, context: RunContext, trigger: TriggerEvent) -> Coroutine[Any, Any, None]:
        """Kill the server and replace the file; the rest restarts it."""
        async with context.outage() as end:
            copy = _copy(context, self.name)
            if not copy.exists():
                raise FaultImpossible(f"the snapshot {self.name} has not been made yet")
            await context.kill_server()
            await asyncio.to_thread(context.outages.server.replace_database, copy)
            context.timeline.note("database", f"restored as of {self.name}")
            restart = self.restart_worker and context.worker is not None
            if restart:
                await context.kill_worker()
            rest = back(context, self.down, end.pop_all())
            return self._restart_worker(context, rest) if restart else rest

    async def _restart_worker(self, context: RunContext, rest: Coroutine[Any, Any, None]) -> None:
        await rest
        if not context.over.is_set():
            await context.start_worker()

    def __str__(self) -> str:
        worker = "; the worker restarts too" if self.restart_worker else "; the worker keeps running"
        return (
            f"the server is killed, its database restored from snapshot {self.name}; it is back after "
            f"{self.down:g} s{worker}"
        )


def _copy(context: RunContext, name: str) -> Path:
    return context.folder / f"snapshot-{name}.db"


def lose_database(down: float | timedelta = 0.0, *, start_again: bool = False) -> LoseDatabase:
    """The server is killed, and comes back `down` seconds later with an empty database: the runbook is gone.

    With `start_again` the runbook is started again with the same input, as an operator would do; its effects remain.
    """
    return LoseDatabase(seconds(down, "lose_database(down=...)"), bool(start_again))


def snapshot_database(name: str = "before") -> SnapshotDatabase:
    """A snapshot of the database for `restore_database`, made while the server runs."""
    return SnapshotDatabase(_named(name))


def restore_database(
    name: str = "before", down: float | timedelta = 0.0, *, restart_worker: bool = True
) -> RestoreDatabase:
    """The server is killed, and comes back `down` seconds later as it was at the snapshot: it goes back in time.

    The worker restarts too, as it must when a Temporal database is restored: with `restart_worker=False` it keeps
    workflows in its cache that the server does not know, and histories may result that do not replay. Moments that
    count events or attempts also count those that were undone.
    """
    return RestoreDatabase(_named(name), seconds(down, "restore_database(down=...)"), bool(restart_worker))


def _named(name: str) -> str:
    if not isinstance(name, str) or NAME.fullmatch(name) is None:
        raise ScenarioInvalid(f"not a name of a snapshot: {name!r}", hint="use letters, digits, dots and dashes")
    return name
