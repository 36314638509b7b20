"""Faults of the server's process."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ..cues import Cue
from ..stage import Stage
from ._numbers import seconds


@dataclass(frozen=True)
class KillServer:
    """The server is killed, and comes back after a while."""

    down: float

    async def begin(self, stage: Stage, cue: Cue) -> Coroutine[Any, Any, None]:
        """Kill it; the rest brings it back."""
        await stage.changing.acquire()
        try:
            await stage.kill_server()
        except BaseException:
            stage.changing.release()
            raise
        return _back(stage, self.down)

    def __str__(self) -> str:
        return f"the server is killed (-9) and down for {self.down:g} s"


@dataclass(frozen=True)
class StopServer:
    """The server is stopped gracefully, and comes back after a while."""

    down: float

    async def begin(self, stage: Stage, cue: Cue) -> Coroutine[Any, Any, None]:
        """Stop it; the rest brings it back."""
        await stage.changing.acquire()
        try:
            await stage.stop_server()
        except BaseException:
            stage.changing.release()
            raise
        return _back(stage, self.down)

    def __str__(self) -> str:
        return f"the server is stopped gracefully and down for {self.down:g} s"


@dataclass(frozen=True)
class FreezeServer:
    """The server's process does not run for a while; connections stay open."""

    seconds: float

    async def begin(self, stage: Stage, cue: Cue) -> Coroutine[Any, Any, None]:
        """Freeze it; the rest thaws it."""
        await stage.changing.acquire()
        await asyncio.to_thread(stage.host.server.freeze)
        stage.down("server", ended="frozen")
        return self._thaw(stage)

    async def _thaw(self, stage: Stage) -> None:
        try:
            await asyncio.sleep(self.seconds)
        finally:
            stage.host.server.thaw()
            stage.up("server")
            stage.changing.release()

    def __str__(self) -> str:
        return f"the server is frozen for {self.seconds:g} s"


async def _back(stage: Stage, down: float) -> None:
    try:
        await asyncio.sleep(down)
        await stage.start_server()
    finally:
        stage.changing.release()


def kill_server(down: float | timedelta = 0.0) -> KillServer:
    """The server is killed (-9) and comes back `down` seconds later, with all that it had acknowledged."""
    return KillServer(seconds(down, "kill_server(down=...)"))


def stop_server(down: float | timedelta = 0.0) -> StopServer:
    """The server is stopped gracefully and comes back `down` seconds later."""
    return StopServer(seconds(down, "stop_server(down=...)"))


def freeze_server(for_: float | timedelta) -> FreezeServer:
    """The server's process is frozen (SIGSTOP) for so many seconds."""
    return FreezeServer(seconds(for_, "freeze_server"))
