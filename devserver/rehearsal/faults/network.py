"""Faults of the network between the worker and the server."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, get_args

from ...network.tcp_proxy import DIRECTIONS, Direction
from ..environment.run_context import RunContext
from ..errors import ScenarioInvalid
from ..scenario.arguments import seconds
from ..scenario.events import TriggerEvent

NAMES: dict[Direction, str] = {"both": "", "to_server": " to the server", "to_client": " to the worker"}


@dataclass(frozen=True)
class CutNetwork:
    """Nothing passes for a time; connections stay open, and what was sent arrives afterwards."""

    seconds: float
    way: Direction

    async def begin(self, context: RunContext, trigger: TriggerEvent) -> Coroutine[Any, Any, None]:
        """Cut the network; the rest restores it."""
        cut = context.outages.network.cut(self.way)
        mark = context.timeline.note("network", f"cut{NAMES[self.way]}")

        async def heal() -> None:
            try:
                await context.lasts(self.seconds)
            finally:
                context.timeline.end(mark)  # first: what the runbook does next is its recovery, however soon it comes
                cut.restore()

        return heal()

    def __str__(self) -> str:
        way = NAMES[self.way] or " between worker and server"
        return f"the network{way} is cut for {self.seconds:g} s"


@dataclass(frozen=True)
class SlowNetwork:
    """Everything takes longer."""

    by: float
    seconds: float | None
    way: Direction

    async def begin(self, context: RunContext, trigger: TriggerEvent) -> Coroutine[Any, Any, None]:
        """Slow the network down; the rest restores it."""
        slow = context.outages.network.slow(self.by, self.way)
        mark = context.timeline.note("network", f"slow{NAMES[self.way]} by {self.by:g} s")

        async def heal() -> None:
            try:
                await (context.over.wait() if self.seconds is None else context.lasts(self.seconds))
            finally:
                context.timeline.end(mark)
                slow.restore()

        return heal()

    def __str__(self) -> str:
        way = NAMES[self.way] or " each way"
        long = "from then on" if self.seconds is None else f"for {self.seconds:g} s"
        return f"the network takes {self.by:g} s longer{way} {long}"


@dataclass(frozen=True)
class ResetConnections:
    """Every connection of the worker breaks; new ones work."""

    async def begin(self, context: RunContext, trigger: TriggerEvent) -> None:
        """Reset the connections."""
        count = await asyncio.to_thread(context.outages.network.reset)
        context.timeline.note("network", "reset", connections=count)

    def __str__(self) -> str:
        return "the worker's connections to the server are reset"


def cut_network(for_: float | timedelta, way: str = "both") -> CutNetwork:
    """Nothing passes between worker and server for this time, in both directions or one (`to_server`, `to_client`).

    What is sent meanwhile arrives afterwards, because TCP sends it again.
    """
    return CutNetwork(seconds(for_, "cut_network"), _way(way))


def slow_network(by: float | timedelta, for_: float | timedelta | None = None, way: str = "both") -> SlowNetwork:
    """Everything takes `by` seconds longer in each direction (or one), for this time or until the end."""
    limit = None if for_ is None else seconds(for_, "slow_network(for_=...)")
    return SlowNetwork(seconds(by, "slow_network(by)"), limit, _way(way))


def reset_network() -> ResetConnections:
    """TCP resets break the worker's connections; new connections work."""
    return ResetConnections()


def _way(way: str) -> Direction:
    if way not in DIRECTIONS:
        raise ScenarioInvalid(f"unknown direction {way!r}", hint=f"use one of {', '.join(get_args(Direction))}")
    return way
