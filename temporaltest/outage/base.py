"""What outages of every kind share: the log, the end of the test, and who may call."""

from __future__ import annotations

import asyncio
import threading

from devserver import DevServer

from ..errors import SetupError
from ..workers.workers import Workers
from .log import Log, Moment


class Base:
    """See the module. `workers` are those of the test, whose event loops must not be blocked."""

    def __init__(self, server: DevServer, workers: Workers) -> None:
        self._server = server
        self._workers = workers
        self._over = threading.Event()
        self._log = Log()

    @property
    def log(self) -> tuple[Moment, ...]:
        """What was done and when, oldest first."""
        return self._log.moments

    def again(self) -> None:
        """A further test begins that has the same server."""
        self._over.clear()

    @property
    def over(self) -> bool:
        """Whether the test is over, and with it every outage."""
        return self._over.is_set()

    def describe(self) -> str:
        """What was done, one line each with its moment; empty where nothing was."""
        return f"outages (seconds since the server was ready):\n{self._log}" if self.log else ""

    def _may(self, verb: str) -> None:
        if self._over.is_set():
            raise SetupError(f"temporal_outage cannot {verb}: the test is over")
        if self._blocks_a_worker():
            raise SetupError(
                f"temporal_outage.{verb} would block the event loop that a worker lives in; "
                f"await temporal_outage.aio.{verb} there"
            )

    def _blocks_a_worker(self) -> bool:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return False
        return any(each.task.get_loop() is loop and not each.task.done() for each in self._workers.running)
