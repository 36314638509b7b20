"""The outages of `temporal_outage` for async tests: same names, arguments and errors; no event loop is blocked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from devserver import Direction
from devserver.outages import OutageBlock

from .blocking import BlockingOutage, number_of

P = ParamSpec("P")
T = TypeVar("T")


def _threaded(
    verb: Callable[Concatenate[BlockingOutage, P], T],
) -> Callable[Concatenate[AsyncOutage, P], Coroutine[Any, Any, T]]:
    """The async form of a verb of `Outage`: the verb runs in a thread."""

    @wraps(verb)
    async def run(self: AsyncOutage, *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.to_thread(verb, self._outage, *args, **kwargs)

    return run  # type: ignore[return-value]


class AsyncOutage:
    """The outages of `Outage` for async tests: same names, arguments and errors; no event loop is blocked."""

    def __init__(self, outage: BlockingOutage) -> None:
        self._outage = outage

    kill = _threaded(BlockingOutage.kill)
    restart = _threaded(BlockingOutage.restart)
    lose_database = _threaded(BlockingOutage.lose_database)
    slow = _threaded(BlockingOutage.slow)
    reset_connections = _threaded(BlockingOutage.reset_connections)

    async def freeze(self, seconds: float) -> None:
        """Suspend the server's process for `seconds`."""
        length = number_of(seconds, "freeze", "seconds")
        await self.frozen().last_async(length)

    async def partition(self, seconds: float, way: Direction = "both") -> None:
        """Cut the network between clients and server for `seconds`."""
        length = number_of(seconds, "partition", "seconds")
        await self.partitioned(way).last_async(length)

    def killed(self) -> OutageBlock:
        """A block (`async with`) during which the server is down."""
        return self._outage.killed()

    def frozen(self) -> OutageBlock:
        """A block (`async with`) during which the server's process is suspended."""
        return self._outage.frozen()

    def partitioned(self, way: Direction = "both") -> OutageBlock:
        """A block (`async with`) during which nothing passes `way` between clients and server."""
        return self._outage.partitioned(way)

    def slowed(self, ms: float) -> OutageBlock:
        """A block (`async with`) during which every answer is delayed by `ms` milliseconds."""
        return self._outage.slowed(ms)
