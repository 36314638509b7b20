"""Outages of the server's process: killed, restarted, frozen."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Literal

from devserver import DevServer, DevServerError

from ..errors import SetupError, TemporalTestError
from ..workers.workers import Workers
from .base import Base
from .log import amount

GRACE_SECONDS = 5.0
State = Literal["up", "frozen", "killed", "coming back"]
WAYS_OUT: dict[State, str] = {"frozen": "end that block first", "killed": "restart() it first"}


class ServerKilled(TemporalTestError):
    """A wait is of no use: `temporal_outage` has killed the server, and nobody restarts it."""


class ProcessOutages(Base):
    """The process has one outage at a time."""

    def __init__(self, server: DevServer, workers: Workers) -> None:
        super().__init__(server, workers)
        self._state: State = "up"
        self._changing = threading.RLock()
        self._hopeless_since: float | None = None

    def kill(self) -> None:
        """End the server's process at once, as a crash would (kill -9). What it had acknowledged is not lost.

        A wait for the server that still goes on 5 s later without a `restart` fails and says so.

        Raises:
            SetupError: It is frozen or killed already.
        """
        with self._changing:
            self._kill()
            self._hopeless_since = time.monotonic()

    def restart(self, down: float = 0.0) -> None:
        """Bring a killed server back, or stop a running one, `down` seconds later: with its state, at its address.

        Returns when it answers.

        Raises:
            SetupError: It is frozen.
            devserver.DevServerError: It does not come back; says why.
        """
        seconds = amount(down, "restart(down=...)", "seconds")
        with self._changing:
            self._need("restart", "up", "killed")
            self._bring_back(seconds)

    @contextlib.contextmanager
    def killed(self) -> Iterator[None]:
        """A block during which the server is down; at its end the server is restarted, and answers.

        Workers wait for it however long it takes; a client's call gives up after the SDK's 10 s.
        """
        self._kill()
        try:
            yield
        finally:
            with self._changing:
                if self._state == "killed" and not self._over.is_set():
                    self._bring_back(0.0)

    def freeze(self, seconds: float) -> None:
        """Keep the server's process from running for so many seconds, as an overloaded machine would (SIGSTOP).

        Connections stay open and nothing is answered. Returns when the server runs again.
        """
        wait = amount(seconds, "freeze", "seconds")
        with self.frozen():
            self._over.wait(wait)

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """A block during which the server's process does not run.

        Raises:
            SetupError: It is frozen already, or killed.
        """
        with self._changing:
            self._need("freeze", "up")
            self._server.freeze()
            self._state = "frozen"
            self._log.note("frozen")
        try:
            yield
        finally:
            self._thaw()

    # What the test's case asks

    @property
    def silent(self) -> bool:
        """Whether the server answers nobody now, because of us."""
        return self._state != "up"

    @property
    def answers(self) -> bool:
        """Whether the server runs, as far as its process tells."""
        return not self.silent and self._server.running

    def alive(self) -> bool:
        """Whether the server runs, or is down because of us."""
        return self.silent or self._server.running

    def trouble(self, limit: float) -> ServerKilled | None:
        """Why waiting is of no use, if it is; `limit` is that of a wait, in seconds."""
        since = self._hopeless_since
        if since is None or time.monotonic() - since < min(GRACE_SECONDS, limit / 2):
            return None
        return ServerKilled(
            "the server was killed by temporal_outage and not restarted: restart() brings it back; "
            f"where it is to be down for longer, use `with temporal_outage.killed()`\n{self.describe()}"
        )

    # How

    def _need(self, verb: str, *possible: State) -> None:
        self._may(verb)
        if self._state not in possible:
            raise SetupError(
                f"temporal_outage cannot {verb}: the server is {self._state} already; {WAYS_OUT.get(self._state, '')}"
            )

    def _kill(self) -> None:
        with self._changing:
            self._need("kill", "up")
            self._server.kill()
            self._state = "killed"
            self._log.note("killed")

    def _bring_back(self, down: float) -> None:
        if self._state == "up":
            self._log.note(f"stopped for {down:g} s" if down else "stopped")
        self._hopeless_since = None
        self._state = "coming back"
        try:
            self._server.restart(down=timedelta(seconds=down))
        except BaseException as error:
            self._state = "killed"
            self._hopeless_since = time.monotonic()
            self._log.note(f"does not come back: {error!r}")
            raise
        self._state = "up"
        self._log.note("up again")

    def _thaw(self) -> None:
        with self._changing:
            if self._state != "frozen":
                return
            self._state = "up"
            with contextlib.suppress(DevServerError):  # it has died meanwhile; `alive` tells
                self._server.thaw()
            self._log.note("thawed")
