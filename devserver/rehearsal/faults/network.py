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
from ..scenario.events import TriggerEvent
from ._numbers import seconds

NAMES: dict[Direction, str] = {"both": "", "to_server": " to the server", "to_client": " to the worker"}


@dataclass(frozen=True)
class CutNetwork:
    """Nothing passes for a while; connections stay open, and what was sent arrives afterwards."""

    seconds: float
    way: Direction

    async def begin(self, context: RunContext, trigger: TriggerEvent) -> Coroutine[Any, Any, None]:
        """Cut it; the rest heals it, but for what another fault keeps cut."""
        cut = context.outages.network.cut(self.way)
        mark = context.timeline.note("network", f"cut{NAMES[self.way]}")

        async def heal() -> None:
            try:
                await context.lasts(self.seconds)
            finally:
                cut.restore()
                context.timeline.end(mark)

        return heal()

    def __str__(self) -> str:
        way = NAMES[self.way] or " between worker and server"
        return f"the network{way} is cut for {self.seconds:g} s"


@dataclass(frozen=True)
class SlowNetwork:
    """Everything takes longer for a while."""

    by: float
    seconds: float | None
    way: Direction

    async def begin(self, context: RunContext, trigger: TriggerEvent) -> Coroutine[Any, Any, None]:
        """Slow it; the rest ends that."""
        slow = context.outages.network.slow(self.by, self.way)
        mark = context.timeline.note("network", f"slow{NAMES[self.way]} by {self.by:g} s")

        async def heal() -> None:
            try:
                await (context.over.wait() if self.seconds is None else context.lasts(self.seconds))
            finally:
                slow.restore()
                context.timeline.end(mark)

        return heal()

    def __str__(self) -> str:
        way = NAMES[self.way] or " each way"
        long = "from then on" if self.seconds is None else f"for {self.seconds:g} s"
        return f"the network takes {self.by:g} s longer{way} {long}"


@dataclass(frozen=True)
class ResetConnections:
    """Every connection of the worker breaks at once; new ones are carried."""

    async def begin(self, context: RunContext, trigger: TriggerEvent) -> None:
        """Break them."""
        count = await asyncio.to_thread(context.outages.network.reset)
        context.timeline.note("network", "reset", connections=count)

    def __str__(self) -> str:
        return "the worker's connections to the server are reset"


def cut_network(for_: float | timedelta, way: str = "both") -> CutNetwork:
    """Nothing passes between worker and server for so many seconds; `way` `to_server` or `to_client`: one way only.

    What is sent meanwhile arrives afterwards, as TCP sends it again.
    """
    return CutNetwork(seconds(for_, "cut_network"), _way(way))


def slow_network(by: float | timedelta, for_: float | timedelta | None = None, way: str = "both") -> SlowNetwork:
    """What passes takes `by` seconds longer each way (or one way), for so many seconds or to the end."""
    limit = None if for_ is None else seconds(for_, "slow_network(for_=...)")
    return SlowNetwork(seconds(by, "slow_network(by)"), limit, _way(way))


def reset_network() -> ResetConnections:
    """The worker's connections are broken by TCP resets; new ones are made as usual."""
    return ResetConnections()


def _way(way: str) -> Direction:
    if way not in DIRECTIONS:
        raise ScenarioInvalid(
            f"{way!r} is no way of the network", hint=f"it is one of {', '.join(get_args(Direction))}"
        )
    return way
