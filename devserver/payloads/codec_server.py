"""A codec server for the Web UI and the Temporal CLI: shows what is stored in the place of references.

It listens on loopback only and speaks Temporal's protocol for codec servers: `POST /decode`, `/encode` and `/download`,
also below a namespace. Whoever can reach it can read payloads, so a web page must not: it answers only requests that
name this machine as their host, and those of a browser only from the Web UI's own pages.
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
from .codec import DOWNLOAD, SHOW, decode_for_display, decode_for_download
from .errors import PayloadMissing, PayloadTooLarge
from .limits import parse_size

LOOPBACK = "127.0.0.1"
NAMES = (LOOPBACK, "localhost")
LONGEST_BODY = 32_000_000
QUIET_SECONDS = 30
POLL_SECONDS = 0.05
ACTIONS = ("decode", "encode", "download")

Origins = Callable[[], Collection[str]]


class CodecServer:
    """Answers in threads of its own until it is closed, or until this process ends.

    Args:
        blobs: The folder.
        port: Where; 0 takes any free port.
        origins: The Web UIs whose pages may ask, as `http://127.0.0.1:8233`; asked for anew each time.
        show: The most bytes that are shown as a whole; of what is larger a head is shown.

    Raises:
        PortTaken: Another process listens there.
        PayloadOptionError: `show` is no size.
    """

    def __init__(self, blobs: BlobFolder, *, port: int = 0, origins: Origins = tuple, show: int | str = SHOW) -> None:
        made = {"blobs": blobs, "origins": origins, "show": parse_size(show, "show")}
        try:
            self._server = _Server((LOOPBACK, port), type("Handler", (_Handler,), made))
        except OSError as error:
            raise PortTaken(
                f"cannot listen on {LOOPBACK}:{port}: {error.strerror}", hint="choose another one with --port"
            ) from error
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(POLL_SECONDS,), name="codec-server", daemon=True
        )

    @property
    def url(self) -> str:
        """What the Web UI and the CLI are told as their codec endpoint."""
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


class _Refused(Exception):
    """An answer that is not 200."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    blobs: ClassVar[BlobFolder]
    origins: ClassVar[Origins]
    show: ClassVar[int]
    protocol_version = "HTTP/1.1"
    server_version = "devserver"
    sys_version = ""
    timeout = QUIET_SECONDS

    def do_OPTIONS(self) -> None:
        """A browser asks whether a page may ask."""
        self._answered(lambda: b"")

    def do_GET(self) -> None:
        """For a person who opens the address."""
        self._answered(lambda: _json({"codec_server": "devserver payloads serve", "folder": str(self.blobs.folder)}))

    def do_POST(self) -> None:
        """The protocol."""
        self._answered(self._acted)

    def _acted(self) -> bytes:
        asked = urlsplit(self.path)
        action = asked.path.rpartition("/")[2]
        if action not in ACTIONS:
            raise _Refused(404, f"there is no {asked.path}; there are /decode, /encode and /download")
        payloads = self._payloads()
        if action == "decode":
            keep = parse_qs(asked.query).get("preserveStorageRefs") == ["true"]
            payloads = [decode_for_display(each, self.blobs, self.show, keep_reference=keep) for each in payloads]
        elif action == "download":
            most = parse_size(DOWNLOAD, "DOWNLOAD")
            payloads = [decode_for_download(each, self.blobs, most) for each in payloads]
        return _json({"payloads": payloads})

    def _payloads(self) -> list[Any]:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            raise _Refused(411, "a request tells the length of its body")
        if int(length) > LONGEST_BODY:
            raise _Refused(413, f"a request may have {LONGEST_BODY} bytes")
        try:
            found = json.loads(self.rfile.read(int(length)))["payloads"]
        except (ValueError, TypeError, KeyError, RecursionError):
            found = None
        if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
            raise _Refused(400, 'a request is JSON of the form {"payloads": [...]}')
        return found

    def _answered(self, act: Callable[[], bytes]) -> None:
        origin = self.headers.get("Origin")
        allowed = False
        try:
            allowed = self._let_in(origin)
            status, body = 200, act()
        except _Refused as refused:
            status, body = refused.status, _json({"error": str(refused)})
        except PayloadMissing as error:
            status, body = 404, _json(error.to_json())
        except PayloadTooLarge as error:
            status, body = 413, _json(error.to_json())
        except DevServerError as error:
            status, body = 500, _json(error.to_json())
        self._send(status, body, origin if allowed else None)

    def _let_in(self, origin: str | None) -> bool:
        """Whether a browser may read the answer.

        A name that leads here from elsewhere (DNS rebinding) is in `Host`, a page of someone else's is in `Origin`, and
        a browser that sends no origin tells in `Sec-Fetch-Site` whether the request is another site's.
        """
        host = self.headers.get("Host", "").rpartition(":")[0] or self.headers.get("Host", "")
        if host not in NAMES:
            raise _Refused(403, f"this is the codec server of this machine, not {host or 'nobody'}")
        if origin is None:
            if self.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
                raise _Refused(403, "another site's page may not ask")
            return False
        if _same_machine(origin) not in {_same_machine(each) for each in type(self).origins()}:
            raise _Refused(403, f"pages of {origin} may not ask; if it is your Web UI: --origin {origin}")
        return True

    def _send(self, status: int, body: bytes, origin: str | None) -> None:
        self.send_response(status)
        if status != 200:
            self.close_connection = True  # what was not read would be taken for the next request
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
        """A server says nothing of each request."""


def _same_machine(origin: str) -> str:
    """An origin with one name for this machine: the Web UI is opened by both."""
    return origin.rstrip("/").replace("://localhost:", f"://{LOOPBACK}:")


def _json(data: Any) -> bytes:
    return json.dumps(data).encode()
