"""The outages of `temporal_outage` for async tests: the same names, awaited; no event loop is blocked."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from .log import amount

if TYPE_CHECKING:
    from devserver import Direction

    from .outage import Outage


class AsyncOutage:
    """See `Outage`, whose names, units and errors these are."""

    def __init__(self, outage: Outage) -> None:
        self._outage = outage

    async def kill(self) -> None:
        """End the server's process at once, as a crash would (kill -9)."""
        await asyncio.to_thread(self._outage.kill)

    async def restart(self, down: float = 0.0) -> None:
        """Bring the server back, or stop and start it with `down` seconds in between; until it answers."""
        await asyncio.to_thread(self._outage.restart, down)

    def killed(self) -> contextlib.AbstractAsyncContextManager[None]:
        """A block during which the server is down."""
        return _in_threads(self._outage.killed())

    async def freeze(self, seconds: float) -> None:
        """Keep the server's process from running for so many seconds."""
        wait = amount(seconds, "freeze", "seconds")
        async with self.frozen():
            await asyncio.sleep(wait)

    def frozen(self) -> contextlib.AbstractAsyncContextManager[None]:
        """A block during which the server's process does not run."""
        return _in_threads(self._outage.frozen())

    async def lose_database(self) -> None:
        """End the server and its database; it comes back empty, with the test's namespace."""
        await asyncio.to_thread(self._outage.lose_database)

    async def partition(self, seconds: float, way: Direction = "both") -> None:
        """Cut the network between clients and server for so many seconds."""
        wait = amount(seconds, "partition", "seconds")
        async with self.partitioned(way):
            await asyncio.sleep(wait)

    def partitioned(self, way: Direction = "both") -> contextlib.AbstractAsyncContextManager[None]:
        """A block during which nothing passes `way` between clients and server."""
        return _in_threads(self._outage.partitioned(way))

    async def slow(self, ms: float) -> None:
        """From now on every answer takes `ms` milliseconds longer. 0 undoes it."""
        await asyncio.to_thread(self._outage.slow, ms)

    def slowed(self, ms: float) -> contextlib.AbstractAsyncContextManager[None]:
        """A block during which every answer takes `ms` milliseconds longer."""
        return _in_threads(self._outage.slowed(ms))

    async def reset_connections(self) -> None:
        """Break every open connection between clients and server."""
        await asyncio.to_thread(self._outage.reset_connections)


@contextlib.asynccontextmanager
async def _in_threads(block: AbstractContextManager[None]) -> AsyncIterator[None]:
    """The block, entered and left in threads; a task that is cancelled meanwhile leaves it too."""
    entering = asyncio.ensure_future(asyncio.to_thread(block.__enter__))
    try:
        await asyncio.shield(entering)
    except asyncio.CancelledError:
        await asyncio.wait([entering])
        if entering.exception() is None:
            await asyncio.to_thread(block.__exit__, None, None, None)
        raise
    try:
        yield
    finally:
        leaving = asyncio.ensure_future(asyncio.to_thread(block.__exit__, None, None, None))
        await asyncio.shield(leaving)
