"""Whether a server that was not started by us still listens, without calls: a busy server does not seem dead."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

GRACE_SECONDS = 4.0  # a server that restarts is back by then
CONNECT_SECONDS = 2.0
RETRY_SECONDS = 0.2
READ_SECONDS = 0.2


class ConnectionMonitor:
    """Keeps one idle connection to `address`, and reconnects when it ends; the server is gone if that fails.

    An address that cannot be connected to at first, because the SDK uses a proxy, counts as alive forever.
    """

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self._target = (host.strip("[]"), int(port) if port.isdecimal() else 0)
        self._silent_since: float | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="temporaltest-connection-monitor", daemon=True)
        self._thread.start()

    def alive(self) -> bool:
        """Whether the server accepted a connection within the last seconds."""
        since = self._silent_since
        return since is None or time.monotonic() - since < GRACE_SECONDS

    def stop(self) -> None:
        """Close the connection."""
        self._stopped.set()
        self._thread.join(CONNECT_SECONDS)

    def _run(self) -> None:
        if not self._connect():
            return
        while not self._stopped.wait(RETRY_SECONDS):
            self._silent_since = self._silent_since or time.monotonic()
            self._connect()

    def _connect(self) -> bool:
        """Connect, and return when the connection has ended; whether it was made."""
        try:
            connection = socket.create_connection(self._target, CONNECT_SECONDS)
        except OSError:
            return False
        self._silent_since = None
        with connection, contextlib.suppress(ConnectionError):
            connection.settimeout(READ_SECONDS)
            while not self._stopped.is_set():
                with contextlib.suppress(TimeoutError):
                    if not connection.recv(4096):
                        break
        return True
