"""Faults of what the server has stored: its database lost, or brought back as it was before."""

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
from ..scenario.events import TriggerEvent
from ..scenario.scenario import Scenario
from ._numbers import seconds
from .server import back

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class LoseDatabase:
    """The server is killed and comes back with an empty database: it knows of no workflow any more."""

    down: float
    start_again: bool

    async def begin(self, context: RunContext, trigger: TriggerEvent) -> Coroutine[Any, Any, None]:
        """Kill it and remove the file; the rest brings it back."""
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
    """A copy of the database is made, as a backup is, while the server runs."""

    name: str

    async def begin(self, context: RunContext, trigger: TriggerEvent) -> None:
        """Copy it."""
        async with context.outage():
            copy = _copy(context, self.name)
            await asyncio.to_thread(remove_whole, copy)
            await asyncio.to_thread(copy_whole, context.environment.server.database, copy)
            context.timeline.note("database", f"snapshot {self.name}")

    def __str__(self) -> str:
        return f"a snapshot of the database is made ({self.name})"


@dataclass(frozen=True)
class RestoreDatabase:
    """The server is killed and comes back as it was at the snapshot: what was acknowledged since then is lost."""

    name: str
    down: float
    restart_worker: bool

    def check(self, scenario: Scenario) -> None:
        """See that the plan makes that snapshot."""
        made = [
            action.name for step in scenario.plan for action in step.actions if isinstance(action, SnapshotDatabase)
        ]
        if self.name not in made:
            raise ScenarioInvalid(
                f"the plan of {scenario.name!r} restores a snapshot {self.name!r} and never makes it",
                hint="plan faults.snapshot_database() at an earlier moment",
            )

    async def begin(self, context: RunContext, trigger: TriggerEvent) -> Coroutine[Any, Any, None]:
        """Kill it and exchange the file; the rest brings it back."""
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
        worker = ", the worker with it" if self.restart_worker else ", and the worker goes on"
        return (
            f"the server is killed, its database restored from the snapshot ({self.name}); it is back after "
            f"{self.down:g} s{worker}"
        )


def _copy(context: RunContext, name: str) -> Path:
    return context.folder / f"snapshot-{name}.db"


def lose_database(down: float | timedelta = 0.0, *, start_again: bool = False) -> LoseDatabase:
    """The server is killed, and comes back `down` seconds later with an empty database: the runbook is gone.

    With `start_again` it is then begun anew with the same input, as an operator would; its effects have happened.
    """
    return LoseDatabase(seconds(down, "lose_database(down=...)"), bool(start_again))


def snapshot_database(name: str = "before") -> SnapshotDatabase:
    """A snapshot of the database for `restore_database`, made while the server runs."""
    return SnapshotDatabase(_named(name))


def restore_database(
    name: str = "before", down: float | timedelta = 0.0, *, restart_worker: bool = True
) -> RestoreDatabase:
    """The server is killed, and comes back `down` seconds later as it was at the snapshot: it goes back in time.

    The worker is started anew with it, as whoever restores a Temporal database must: with `restart_worker=False` it
    goes on with what it has cached of a time that the server does not know, and histories may come of it that do not
    replay. Moments that count events or attempts count those too that are undone.
    """
    return RestoreDatabase(_named(name), seconds(down, "restore_database(down=...)"), bool(restart_worker))


def _named(name: str) -> str:
    if not isinstance(name, str) or NAME.fullmatch(name) is None:
        raise ScenarioInvalid(
            f"a snapshot cannot be named {name!r}", hint="letters, digits, dots and dashes make a name"
        )
    return name
