"""Whether a server that is not ours is still there, without calls: a busy server is not taken for a dead one."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

GRACE_SECONDS = 4.0  # a server that is restarted is back by then
CONNECT_SECONDS = 2.0
RETRY_SECONDS = 0.2
LOOK_SECONDS = 0.2


class ConnectionMonitor:
    """One idle connection to `address` is held, and made anew when it ends; where none can be made, nobody is there.

    An address that cannot be reached at the beginning, because the SDK goes through a proxy, counts as alive for ever.
    """

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self._target = (host.strip("[]"), int(port) if port.isdecimal() else 0)
        self._silent_since: float | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="temporaltest-pulse", daemon=True)
        self._thread.start()

    def alive(self) -> bool:
        """Whether it could be reached within the last seconds."""
        since = self._silent_since
        return since is None or time.monotonic() - since < GRACE_SECONDS

    def stop(self) -> None:
        """Give the connection up."""
        self._over.set()
        self._thread.join(CONNECT_SECONDS)

    def _run(self) -> None:
        if not self._hold():
            return
        while not self._over.wait(RETRY_SECONDS):
            self._silent_since = self._silent_since or time.monotonic()
            self._hold()

    def _hold(self) -> bool:
        """Connect, and return when the connection has ended; whether there was one."""
        try:
            connection = socket.create_connection(self._target, CONNECT_SECONDS)
        except OSError:
            return False
        self._silent_since = None
        with connection, contextlib.suppress(ConnectionError):
            connection.settimeout(LOOK_SECONDS)
            while not self._over.is_set():
                with contextlib.suppress(TimeoutError):
                    if not connection.recv(4096):
                        break
        return True
