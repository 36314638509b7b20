"""All outages of a test's server in one object, and their end."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager

from devserver import DevServer, DevServerError, Direction

from ..workers.workers import Workers
from .log import amount
from .network import NetworkOutages
from .process import ProcessOutages

LONG_AGO = -math.inf


class Outage(ProcessOutages, NetworkOutages):
    """Outages of the test's own server. Verbs do something and return; participles are blocks that undo it.

    In a test without an event loop, call them here: `kill()`, `with frozen(): ...`. In an async test, the same names
    are under `aio`: `await temporal_outage.aio.kill()`, `async with temporal_outage.aio.frozen(): ...`.
    The test's client and its workers reach the server through a proxy, where the network is cut and slowed. The
    process has one outage at a time (killed or frozen); the network may be cut and slowed besides. Whatever is still
    on at the end of the test is undone then.

    What is on its way to a worker when the connection breaks is given out once more when it times out, as in earnest: a
    workflow task after the workflow's `task_timeout` (10 s unless it is started with another), an activity after its
    `start_to_close_timeout`.
    """

    def __init__(self, server: DevServer, make_namespace: Callable[[str], None], workers: Workers) -> None:
        super().__init__(server, workers)
        self._make_namespace = make_namespace
        self.aio = AsyncOutage(self)

    def lose_database(self) -> None:
        """End the server's process and its database, as a lost disk would; it comes back empty, at its address.

        The test's namespace is made again, so that the test can start anew; its workers go on polling.

        Raises:
            SetupError: The server is frozen.
            devserver.DevServerError: It does not come back; says why.
        """
        with self._changing:
            self._need("lose_database", "up", "killed")
            with self._held_off():
                if self._state == "up":
                    self._kill()
                for file in self._server.database.parent.glob(f"{self._server.database.name}*"):
                    file.unlink()
                self._log.note("database lost")
                self._bring_back(0.0)
                self._make_namespace(self._server.address)

    def undo(self) -> None:
        """End every outage that is on. What cannot be undone is in the log, and `alive` or `trouble` tell of it."""
        if self._on() and not self._over.is_set():
            self._log.note("the test is over")
        self._over.set()
        self._thaw()
        self._heal()
        if self._latency:
            self._set_latency(0.0)
        with self._changing:
            if self._state == "killed":
                try:
                    self._bring_back(0.0)
                except DevServerError:
                    self._hopeless_since = LONG_AGO

    def _on(self) -> bool:
        return self.silent or self._cut is not None or self._latency > 0

    def close(self) -> None:
        """End the proxy, and with it every connection through it."""
        self._over.set()
        self._thaw()
        self._proxy.close()


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
