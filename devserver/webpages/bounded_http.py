"""An HTTP server whose clients may be slow, silent, vanished or many: none keeps a thread or causes a traceback.

Without connections it sleeps: it looks at the time only while a request is arriving.
"""

from __future__ import annotations

import contextlib
import json
import selectors
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MAX_CONNECTIONS = 64
REQUEST_SECONDS = 30.0


class BoundedHttpServer(ThreadingHTTPServer):
    """Ends the reading from a connection whose request does not arrive in time, and from the oldest of too many.

    Args:
        address: Where to listen.
        handler: Handles a connection.
        limit: Seconds for a request to arrive; its answer has to be read in twice the time.
        listening: A socket that listens already, instead of one of the address.
    """

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = MAX_CONNECTIONS

    def __init__(
        self,
        address: tuple[str, int],
        handler: type[BoundedHandler],
        limit: float,
        listening: socket.socket | None = None,
    ) -> None:
        self.limit = limit
        self._open: dict[socket.socket, float | None] = {}  # the time at which a request has to be complete
        self._lock = threading.Lock()
        self._wake, self._woken = socket.socketpair()
        self._wake.setblocking(False)
        self._ending = False
        self._ended = threading.Event()
        super().__init__(address, handler, bind_and_activate=listening is None)
        if listening is not None:
            self.socket.close()
            self.socket = listening
            self.server_address = listening.getsockname()

    def serve_forever(self, poll_interval: float | None = None) -> None:
        """Handle connections until `shutdown`; sleep until one comes or a limit is reached."""
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(self.socket, selectors.EVENT_READ)
                selector.register(self._woken, selectors.EVENT_READ)
                while not self._ending:
                    ready = [key.fileobj for key, _ in selector.select(self._next_limit(poll_interval))]
                    if self._woken in ready:
                        self._woken.recv(64)
                    if self.socket in ready and not self._ending:
                        self._handle_request_noblock()  # type: ignore[attr-defined]
                    self.service_actions()
        finally:
            self._ended.set()

    def shutdown(self) -> None:
        """End `serve_forever`, which runs in another thread."""
        self._ending = True
        self._look_again()
        self._ended.wait()

    def server_close(self) -> None:
        """Close the listening socket."""
        super().server_close()
        self._wake.close()
        self._woken.close()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Handle a new connection; if there are too many, and no old one can be ended, close it."""
        with self._lock:
            waiting = [connection for connection, until in self._open.items() if until is not None]
            if len(self._open) >= MAX_CONNECTIONS:
                if not waiting:
                    super().shutdown_request(request)
                    return
                self._stop_reading(min(waiting, key=lambda connection: self._open[connection] or 0))
            self._open[request] = time.monotonic() + self.limit
        super().process_request(request, client_address)

    def _next_limit(self, most: float | None) -> float | None:
        with self._lock:
            limits = [until for until in self._open.values() if until is not None]
        waits = [max(0.0, min(limits) - time.monotonic())] if limits else []
        return min([*waits, *([] if most is None else [most])], default=None)

    def _look_again(self) -> None:
        with contextlib.suppress(OSError):  # full, or closed
            self._wake.send(b"1")

    def expect_request(self, connection: socket.socket) -> None:
        """Give the next request of a connection its time."""
        with self._lock:
            self._open[connection] = time.monotonic() + self.limit
        self._look_again()

    def request_arrived(self, connection: socket.socket) -> None:
        """The request is complete: its answer has another limit."""
        with self._lock:
            self._open[connection] = None

    def service_actions(self) -> None:
        """Look at the time of each request."""
        now = time.monotonic()
        with self._lock:
            for connection in [found for found, until in self._open.items() if until is not None and until < now]:
                self._stop_reading(connection)

    def _stop_reading(self, connection: socket.socket) -> None:
        """Let the handler read the end, so that it answers what it has."""
        self._open[connection] = None
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RD)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection."""
        with self._lock:
            self._open.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has vanished is no error."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class BoundedHandler(BaseHTTPRequestHandler):
    """Handles one connection; errors are JSON."""

    server: BoundedHttpServer
    protocol_version = "HTTP/1.1"
    server_version = "devserver"
    sys_version = ""

    def setup(self) -> None:
        """Limit the reading of an answer. The server ends the reading of a request earlier, so that it is answered."""
        super().setup()
        self.connection.settimeout(2 * self.server.limit)

    def handle_one_request(self) -> None:
        """Handle a request, which has to arrive in time."""
        self.server.expect_request(self.connection)
        super().handle_one_request()

    def read_body(self, length: int) -> bytes:
        """The body, or as much of it as arrives in time."""
        body = self.rfile.read(length)
        self.server.request_arrived(self.connection)
        return body

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what is not HTTP, in JSON."""
        self.send_json(code, {"error": message or self.responses.get(code, ("invalid request",))[0]}, {})

    def send_json(self, status: int, data: bytes | dict[str, Any], headers: dict[str, str]) -> None:
        """Send an answer; after an error the connection ends, because the unread rest would be read as a request."""
        body = data if isinstance(data, bytes) else json.dumps(data).encode()
        self.send_response(status)
        if status != 200:
            headers = {**headers, "Connection": "close"}
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as in the base class
        """Log nothing."""
