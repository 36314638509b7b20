"""What the fixture `temporal_outage` gives: the outages of a test's server, and their end."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from devserver import DevServer

from ..errors import TemporalTestError
from ..workers.workers import Workers
from .aio import AsyncOutage
from .blocking import BlockingOutage

GRACE_SECONDS = 5.0  # a test may need this long to restart a server that it has killed


class ServerKilled(TemporalTestError):
    """A wait cannot succeed: `temporal_outage` has killed the server, and the test does not restart it."""


class Outage(BlockingOutage):
    """Outages of the test's own server. Verbs do something and return; participles are blocks that undo it.

    In a test without an event loop, call them here: `kill()`, `with frozen(): ...`. In an async test, the same names
    are under `aio`: `await temporal_outage.aio.kill()`, `async with temporal_outage.aio.frozen(): ...`.
    The test's client and its workers reach the server through a proxy, where the network is cut and slowed. The
    process has one outage at a time (killed or frozen); the network can be cut and slowed at the same time. Every
    outage that is in effect at the end of the test is undone then.

    When a connection breaks, tasks on their way to a worker are lost. The server sends them again when they time out:
    a workflow task after the workflow's `task_timeout` (default: 10 s), an activity after its
    `start_to_close_timeout`.
    """

    def __init__(self, server: DevServer, make_namespace: Callable[[str], None], workers: Workers) -> None:
        super().__init__(server, make_namespace, workers)
        self.aio = AsyncOutage(self)

    @property
    def silent(self) -> bool:
        """Whether the server does not answer now because of an outage of its process."""
        return self._outages.server.state != "running"

    @property
    def answers(self) -> bool:
        """Whether the server's process runs and is not frozen."""
        return not self.silent and self._server.running

    def alive(self) -> bool:
        """Whether the server runs, or is down because of an outage."""
        return self.silent or self._server.running

    def trouble(self, limit: float) -> ServerKilled | None:
        """Why a wait of `limit` seconds cannot succeed; None if it can."""
        since = self._down_since
        if since is None or time.monotonic() - since < min(GRACE_SECONDS, limit / 2):
            return None
        return ServerKilled(
            "the server was killed by temporal_outage and not restarted: call restart(); "
            f"to keep it down for longer, use `with temporal_outage.killed()`\n{self.describe()}"
        )

    def describe(self) -> str:
        """Everything that happened, one line each; empty where nothing did."""
        return f"outages (seconds since the server was ready):\n{self._outages.log}" if self.log else ""

    def again(self) -> None:
        """Another test of the same server begins."""
        self._outages.begin()

    def undo(self) -> None:
        """End every outage. A server that does not start is in the log; `alive` and `trouble` report it."""
        if self._outages.active and not self.over:
            self._outages.log.note("the test is over")
        self._slow = None
        self._down_since = None if self._outages.end() is None else -math.inf

    def close(self) -> None:
        """Close the proxy and every connection through it."""
        self._outages.end(restart=False)
        self._proxy.close()
