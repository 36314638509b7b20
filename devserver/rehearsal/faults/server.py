"""Faults of the server's process."""

from __future__ import annotations

from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ...outages import ActiveOutage
from ..environment.run_context import RunContext
from ..scenario.arguments import and_down, seconds
from ..scenario.events import TriggerEvent


@dataclass(frozen=True)
class KillServer:
    """The server is killed, and comes back with its state."""

    down: float

    async def begin(self, context: RunContext, trigger: TriggerEvent) -> Coroutine[Any, Any, None]:
        """Kill the server; the rest restarts it."""
        async with context.outage() as end:
            await context.kill_server()
            return back(context, self.down, end.pop_all())

    def __str__(self) -> str:
        return f"the server is killed (-9){and_down(self.down)}"


@dataclass(frozen=True)
class StopServer:
    """The server is stopped gracefully, and comes back with its state."""

    down: float

    async def begin(self, context: RunContext, trigger: TriggerEvent) -> Coroutine[Any, Any, None]:
        """Stop the server; the rest restarts it."""
        async with context.outage() as end:
            await context.stop_server()
            return back(context, self.down, end.pop_all())

    def __str__(self) -> str:
        return f"the server is stopped gracefully{and_down(self.down)}"


@dataclass(frozen=True)
class FreezeServer:
    """The server's process is suspended; connections stay open."""

    seconds: float

    async def begin(self, context: RunContext, trigger: TriggerEvent) -> Coroutine[Any, Any, None]:
        """Freeze the process; the rest thaws it."""
        async with context.outage() as end:
            return self._thaw(context, await context.freeze_server(), end.pop_all())

    async def _thaw(self, context: RunContext, frozen: ActiveOutage, end: AsyncExitStack) -> None:
        async with end:
            try:
                await context.lasts(self.seconds)
            finally:
                frozen.restore()
            context.up("server")

    def __str__(self) -> str:
        return f"the server is frozen for {self.seconds:g} s"


async def back(context: RunContext, down: float, end: AsyncExitStack) -> None:
    """Restart a server after `down` seconds, or when the runbook has ended."""
    async with end:
        await context.lasts(down)
        await context.start_server()


def kill_server(down: float | timedelta = 0.0) -> KillServer:
    """The server is killed (-9) and comes back `down` seconds later, with everything it had acknowledged."""
    return KillServer(seconds(down, "kill_server(down=...)"))


def stop_server(down: float | timedelta = 0.0) -> StopServer:
    """The server is stopped gracefully and comes back `down` seconds later."""
    return StopServer(seconds(down, "stop_server(down=...)"))


def freeze_server(for_: float | timedelta) -> FreezeServer:
    """The server's process is frozen (SIGSTOP) for this time; connections to it stay open."""
    return FreezeServer(seconds(for_, "freeze_server"))
