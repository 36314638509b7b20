"""The outages that a test can cause on its own server, for code without an event loop."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable

from devserver import DevServer, Direction, TcpProxy
from devserver.outages import ActiveOutage, OutageBlock, OutageConflict, OutageEvent, Outages

from ..errors import SetupError
from ..workers.workers import Workers

ADVICE = {"frozen": "end that block first", "killed": "restart() it first"}


class BlockingOutage:
    """The outages of a server, for code without an event loop."""

    def __init__(self, server: DevServer, make_namespace: Callable[[str], None], workers: Workers) -> None:
        self._server = server
        self._make_namespace = make_namespace
        self._workers = workers
        self._proxy = TcpProxy(server.address)
        self._outages = Outages(server, self._proxy)
        self._slow: ActiveOutage | None = None
        self._down_since: float | None = None  # since when no restart is to be expected (monotonic)

    @property
    def address(self) -> str:
        """Where clients reach the server through the proxy, `host:port`."""
        return self._proxy.address

    @property
    def log(self) -> tuple[OutageEvent, ...]:
        """Everything that happened, oldest first."""
        return self._outages.log.events

    # The process

    def kill(self) -> None:
        """Kill the server's process, as a crash would (kill -9). Nothing that it has acknowledged is lost.

        A wait for the server fails with the reason if the server is not restarted within 5 s.

        Raises:
            SetupError: The server is already frozen or killed.
        """
        self._begin("kill", self._outages.server.kill)
        self._down_since = time.monotonic()

    def restart(self, down: float = 0.0) -> None:
        """Start a killed server, or stop and start a running one, `down` seconds later: same state, same address.

        Returns when the server is ready.

        Raises:
            SetupError: The server is frozen.
            devserver.DevServerError: The server does not start; says why.
        """
        seconds = number_of(down, "restart(down=...)", "seconds")
        with self._outages.server.changing:
            self._need("restart", "running", "killed")
            self._restart(seconds)

    def killed(self) -> OutageBlock:
        """A block during which the server is down; at its end the server is restarted and ready.

        Workers wait for the server however long it is down; a client's call fails after the SDK's 10 s.
        """
        return self._block("kill", self._outages.server.kill)

    def freeze(self, seconds: float) -> None:
        """Suspend the server's process for `seconds` (SIGSTOP), as an overloaded machine would.

        Connections stay open and nothing is answered. Returns when the server runs again.
        """
        length = number_of(seconds, "freeze", "seconds")
        self.frozen().last(length)

    def frozen(self) -> OutageBlock:
        """A block during which the server's process is suspended.

        Raises:
            SetupError: The server is already frozen or killed.
        """
        return self._block("freeze", self._outages.server.freeze)

    def lose_database(self) -> None:
        """Kill the server and remove its database, as a lost disk would; it comes back empty, at its address.

        The test's namespace is created again, so that the test can start workflows; its workers continue to poll.

        Raises:
            SetupError: The server is frozen.
            devserver.DevServerError: The server does not start; says why.
        """
        with self._outages.server.changing:
            self._need("lose_database", "running", "killed")
            cut = self._outages.network.cut(quiet=True)  # a worker that finds no namespace would stop
            try:
                if self._outages.server.state == "running":
                    self._outages.server.kill()
                self._outages.server.replace_database()
                self._restart(0.0)
                self._make_namespace(self._server.address)
            finally:
                cut.restore()

    # The network

    def partition(self, seconds: float, way: Direction = "both") -> None:
        """Cut the network between clients and server for `seconds`. Returns when the network works again."""
        length = number_of(seconds, "partition", "seconds")
        self.partitioned(way).last(length)

    def partitioned(self, way: Direction = "both") -> OutageBlock:
        """A block during which nothing passes `way` (`both`, `to_server`, `to_client`) between clients and server.

        No connection breaks; what is sent arrives after the block, as with packets that are lost and sent again.

        Raises:
            SetupError: The network is already cut.
            ValueError: There is no such way.
        """

        def cut() -> ActiveOutage:
            if self._outages.network.is_cut:
                raise SetupError("temporal_outage cannot partition: the network is already cut; end that block first")
            return self._outages.network.cut(way)

        return self._block("partition", cut)

    def slow(self, ms: float) -> None:
        """Delay every answer by `ms` milliseconds from now on, half of it each way. 0 undoes it."""
        seconds = number_of(ms, "slow", "milliseconds") / 1000
        self._allow("slow")
        before, self._slow = self._slow, self._outages.network.slow(seconds / 2)
        if before is not None:
            before.restore()

    def slowed(self, ms: float) -> OutageBlock:
        """A block during which every answer is delayed by `ms` milliseconds; then the delay is as it was before."""
        seconds = number_of(ms, "slow", "milliseconds") / 1000
        return self._block("slow", lambda: self._outages.network.slow(seconds / 2))

    def reset_connections(self) -> None:
        """Break every open connection between clients and server with a TCP reset; new connections work."""
        self._allow("reset_connections")
        self._outages.network.reset()

    @property
    def over(self) -> bool:
        """Whether the test is over, and with it every outage."""
        return self._outages.ended

    # How

    def _block(self, verb: str, begin: Callable[[], ActiveOutage]) -> OutageBlock:
        return self._outages.block(lambda: self._begin(verb, begin))

    def _begin(self, verb: str, begin: Callable[[], ActiveOutage]) -> ActiveOutage:
        self._allow(verb)
        try:
            return begin()
        except OutageConflict:
            raise self._conflict(verb) from None

    def _restart(self, down: float) -> None:
        self._down_since = None
        try:
            self._outages.server.restart(down)
        except BaseException:
            self._down_since = time.monotonic()
            raise

    def _need(self, verb: str, *states: str) -> None:
        self._allow(verb)
        if self._outages.server.state not in states:
            raise self._conflict(verb)

    def _conflict(self, verb: str) -> SetupError:
        state = self._outages.server.state
        return SetupError(f"temporal_outage cannot {verb}: the server is already {state}; {ADVICE.get(state, '')}")

    def _allow(self, verb: str) -> None:
        if self.over:
            raise SetupError(f"temporal_outage cannot {verb}: the test is over")
        if self._blocks_a_worker():
            raise SetupError(
                f"temporal_outage.{verb} would block the event loop of a worker; "
                f"call await temporal_outage.aio.{verb} there"
            )

    def _blocks_a_worker(self) -> bool:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return False
        tasks = [worker.task for worker in self._workers.running]
        return any(task.get_loop() is loop and not task.done() for task in tasks)


def number_of(value: float, verb: str, unit: str) -> float:
    """`value`, if it is a number of `unit`.

    Raises:
        TypeError: It is no number.
        ValueError: It is negative or not finite.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{verb} takes a number of {unit}, not {value!r}")
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"{verb} takes a number of {unit}, 0 or more, not {value!r}")
    return float(value)
