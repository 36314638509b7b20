"""A codec server that shows stored payloads in the Web UI and in the Temporal CLI.

It listens on loopback only and speaks Temporal's protocol for codec servers: `POST /decode`, `/encode` and `/download`,
also with a namespace before them. Whoever can reach it can read payloads. So it only answers requests whose `Host` is
this machine, and of a browser only those of the Web UI's own pages.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Collection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from ..errors import DevServerError, PortTaken
from .blobs import BlobFolder
from .codec import MAX_DOWNLOAD, MAX_SHOWN, decode_for_display, decode_for_download
from .errors import PayloadMissing, PayloadTooLarge
from .limits import parse_size

LOOPBACK = "127.0.0.1"
HOSTS = (LOOPBACK, "localhost")
MAX_BODY_BYTES = 32_000_000
IDLE_SECONDS = 30
POLL_SECONDS = 0.05
ACTIONS = ("decode", "encode", "download")

Origins = Callable[[], Collection[str]]


class CodecServer:
    """Answers requests in threads, from `with` until the end of the block.

    Args:
        blobs: The folder.
        port: The port; 0 is any free port.
        origins: Returns the origins of the Web UIs that may send requests, such as `http://127.0.0.1:8233`; called for
            every request.
        max_shown: Payloads up to this size are shown completely, larger ones with their beginning.

    Raises:
        PortTaken: Another process listens on the port.
        PayloadOptionError: `max_shown` is not a size.
    """

    def __init__(
        self, blobs: BlobFolder, *, port: int = 0, origins: Origins = tuple, max_shown: int | str = MAX_SHOWN
    ) -> None:
        attributes = {"blobs": blobs, "origins": origins, "max_shown": parse_size(max_shown, "--show")}
        try:
            self._server = _Server((LOOPBACK, port), type("Handler", (_Handler,), attributes))
        except OSError as error:
            raise PortTaken(
                f"cannot listen on {LOOPBACK}:{port}: {error.strerror}", hint="choose another port with --port"
            ) from error
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(POLL_SECONDS,), name="codec-server", daemon=True
        )

    @property
    def url(self) -> str:
        """The codec endpoint for the Web UI and the CLI."""
        return f"http://{LOOPBACK}:{self._server.server_address[1]}"

    def __enter__(self) -> CodecServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True


class _RequestRefused(Exception):
    """A request that gets another status than 200."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class _Handler(BaseHTTPRequestHandler):
    """Handles one connection."""

    blobs: ClassVar[BlobFolder]
    origins: ClassVar[Origins]
    max_shown: ClassVar[int]
    protocol_version = "HTTP/1.1"
    server_version = "devserver"
    sys_version = ""
    timeout = IDLE_SECONDS

    def do_OPTIONS(self) -> None:
        """Answer a browser's preflight request."""
        self._answer(lambda: b"")

    def do_GET(self) -> None:
        """Answer a person who opens the address in a browser."""
        self._answer(lambda: _json({"codec_server": "devserver payloads serve", "folder": str(self.blobs.folder)}))

    def do_POST(self) -> None:
        """Answer a request of the protocol."""
        self._answer(self._run_action)

    def _run_action(self) -> bytes:
        url = urlsplit(self.path)
        action = url.path.rpartition("/")[2]
        if action not in ACTIONS:
            raise _RequestRefused(404, f"unknown path {url.path}: use /decode, /encode or /download")
        payloads = self._payloads()
        if action == "decode":
            keep = parse_qs(url.query).get("preserveStorageRefs") == ["true"]
            payloads = [
                decode_for_display(payload, self.blobs, self.max_shown, keep_reference=keep) for payload in payloads
            ]
        elif action == "download":
            limit = parse_size(MAX_DOWNLOAD, "MAX_DOWNLOAD")
            payloads = [decode_for_download(payload, self.blobs, limit) for payload in payloads]
        return _json({"payloads": payloads})

    def _payloads(self) -> list[Any]:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            raise _RequestRefused(411, "the request needs a Content-Length")
        if int(length) > MAX_BODY_BYTES:
            raise _RequestRefused(413, f"the request has more than {MAX_BODY_BYTES} bytes")
        try:
            payloads = json.loads(self.rfile.read(int(length)))["payloads"]
        except (ValueError, TypeError, KeyError, RecursionError):
            payloads = None
        if not isinstance(payloads, list) or not all(isinstance(payload, dict) for payload in payloads):
            raise _RequestRefused(400, 'the request must be JSON of the form {"payloads": [...]}')
        return payloads

    def _answer(self, action: Callable[[], bytes]) -> None:
        origin = self.headers.get("Origin")
        allowed = False
        try:
            allowed = self._check_origin(origin)
            status, body = 200, action()
        except _RequestRefused as refused:
            status, body = refused.status, _json({"error": str(refused)})
        except PayloadMissing as error:
            status, body = 404, _json(error.to_json())
        except PayloadTooLarge as error:
            status, body = 413, _json(error.to_json())
        except DevServerError as error:
            status, body = 500, _json(error.to_json())
        self._send(status, body, origin if allowed else None)

    def _check_origin(self, origin: str | None) -> bool:
        """Whether a browser may read the answer; raises for requests of other sites.

        `Host` shows a foreign name for this machine (DNS rebinding), `Origin` shows a page of another site. A browser
        that sends no origin says in `Sec-Fetch-Site` whether the request comes from another site.
        """
        host = self.headers.get("Host", "").rpartition(":")[0] or self.headers.get("Host", "")
        if host not in HOSTS:
            raise _RequestRefused(
                403, f"the codec server only answers requests to {LOOPBACK} and localhost, not to {host or '(no host)'}"
            )
        if origin is None:
            if self.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
                raise _RequestRefused(403, "pages of other sites cannot use the codec server")
            return False
        if _normalized(origin) not in {_normalized(allowed) for allowed in type(self).origins()}:
            raise _RequestRefused(
                403, f"pages of {origin} cannot use the codec server; for your own Web UI, add --origin {origin}"
            )
        return True

    def _send(self, status: int, body: bytes, origin: str | None) -> None:
        self.send_response(status)
        if status != 200:
            self.close_connection = True  # the unread rest would be read as the next request
            self.send_header("Connection", "close")
        if origin is not None:
            self.send_header("Access-Control-Allow-Origin", origin)
            self.send_header("Access-Control-Allow-Methods", "POST, GET, OPTIONS")
            self.send_header(
                "Access-Control-Allow-Headers", "Content-Type, X-Namespace, Authorization, Authorization-Extras"
            )
        self.send_header("Vary", "Origin")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as in the base class
        """Log nothing."""


def _normalized(origin: str) -> str:
    """An origin with `localhost` as `127.0.0.1`: the Web UI is opened by both names."""
    return origin.rstrip("/").replace("://localhost:", f"://{LOOPBACK}:")


def _json(data: Any) -> bytes:
    return json.dumps(data).encode()
