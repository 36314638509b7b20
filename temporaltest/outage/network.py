"""Outages of the network between the test's clients and its server, which goes through a proxy."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from devserver import DevServer, Direction, TcpProxy

from ..errors import SetupError
from ..workers.workers import Workers
from .base import Base
from .log import amount


class NetworkOutages(Base):
    """The network may be cut and slowed at once, whatever the server's process does."""

    def __init__(self, server: DevServer, workers: Workers) -> None:
        super().__init__(server, workers)
        self._proxy = TcpProxy(server.address)
        self._network = threading.RLock()
        self._cut: Direction | None = None
        self._latency = 0.0

    @property
    def address(self) -> str:
        """Where clients reach the server through the proxy, `host:port`."""
        return self._proxy.address

    def partition(self, seconds: float, way: Direction = "both") -> None:
        """Cut the network between clients and server for so many seconds. Returns when it is healed."""
        wait = amount(seconds, "partition", "seconds")
        with self.partitioned(way):
            self._over.wait(wait)

    @contextlib.contextmanager
    def partitioned(self, way: Direction = "both") -> Iterator[None]:
        """A block during which nothing passes `way` (`both`, `to_server`, `to_client`) between clients and server.

        No connection breaks; what is sent arrives after the block, as with packets that are lost and sent again.

        Raises:
            SetupError: It is cut already.
            ValueError: There is no such way.
        """
        with self._network:
            self._may("partition")
            if self._cut is not None:
                raise SetupError("temporal_outage cannot partition: the network is cut already; end that block first")
            self._proxy.cut(way)
            self._cut = way
            self._log.note(f"network cut ({way.replace('_', ' ')})")
        try:
            yield
        finally:
            self._heal()

    def slow(self, ms: float) -> None:
        """From now on every answer of the server takes `ms` milliseconds longer: half of it each way. 0 undoes it."""
        seconds = amount(ms, "slow", "milliseconds") / 1000
        with self._network:
            self._may("slow")
            self._set_latency(seconds)

    @contextlib.contextmanager
    def slowed(self, ms: float) -> Iterator[None]:
        """A block during which every answer takes `ms` milliseconds longer; then it is as it was before."""
        before = self._latency
        self.slow(ms)
        try:
            yield
        finally:
            with self._network:
                if not self._over.is_set():
                    self._set_latency(before)

    def reset_connections(self) -> None:
        """Break every open connection between clients and server with a TCP reset; they may connect again at once."""
        with self._network:
            self._may("reset_connections")
            self._log.note(f"{self._proxy.reset()} connections reset")

    # How

    def _heal(self) -> None:
        with self._network:
            if self._cut is not None:
                self._proxy.heal()
                self._cut = None
                self._log.note("network healed")

    def _set_latency(self, seconds: float) -> None:
        self._proxy.delay(seconds / 2)
        self._latency = seconds
        self._log.note(f"slowed by {seconds * 1000:g} ms" if seconds else "no longer slowed")

    @contextlib.contextmanager
    def _held_off(self) -> Iterator[None]:
        """Keep clients from the server, without a word: a worker that finds its namespace gone would die."""
        with self._network:
            self._proxy.cut()
            try:
                yield
            finally:
                self._proxy.heal()
                if self._cut is not None:
                    self._proxy.cut(self._cut)
