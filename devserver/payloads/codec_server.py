"""A codec server that shows stored payloads in the Web UI and in the Temporal CLI.

It listens on loopback only and speaks Temporal's protocol for codec servers: `POST /decode`, `/encode` and `/download`,
also with a namespace before them. Whoever can reach it can read payloads. So it only answers requests whose `Host` is
this machine, and of a browser only those of the Web UI's own pages.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Collection
from typing import Any, ClassVar
from urllib.parse import parse_qs

from ..errors import DevServerError, PortTaken
from ..webpages.bounded_http import REQUEST_SECONDS, BoundedHandler, BoundedHttpServer
from .blobs import BlobFolder
from .codec import MAX_DOWNLOAD, MAX_SHOWN, decode_for_display, decode_for_download
from .errors import PayloadMissing, PayloadTooLarge
from .limits import parse_size
from .origins import LOOPBACK, origin_of

HOSTS = (LOOPBACK, "localhost")
MAX_BODY_BYTES = 32_000_000
FORM = 'the request must be JSON of the form {"payloads": [...]}'
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
        limit: Seconds for a request to arrive; its answer has to be read in twice the time.

    Raises:
        PortTaken: Another process listens on the port.
        PayloadOptionError: `max_shown` is not a size.
    """

    def __init__(
        self,
        blobs: BlobFolder,
        *,
        port: int = 0,
        origins: Origins = tuple,
        max_shown: int | str = MAX_SHOWN,
        limit: float = REQUEST_SECONDS,
    ) -> None:
        attributes = {"blobs": blobs, "origins": origins, "max_shown": parse_size(max_shown, "--show")}
        try:
            self._server = BoundedHttpServer((LOOPBACK, port), type("Handler", (_Handler,), attributes), limit)
        except OSError as error:
            raise PortTaken(
                f"cannot listen on {LOOPBACK}:{port}: {error.strerror}", hint="choose another port with --port"
            ) from error
        self._thread = threading.Thread(target=self._server.serve_forever, name="codec-server", daemon=True)

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


class _RequestRefused(Exception):
    """A request that gets another status than 200."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class _Handler(BoundedHandler):
    """Handles one connection."""

    blobs: ClassVar[BlobFolder]
    origins: ClassVar[Origins]
    max_shown: ClassVar[int]

    def do_OPTIONS(self) -> None:  # noqa: N802 - as the base class calls it
        """Answer a browser's preflight request."""
        self._answer(lambda: self._without_body(b""))

    def do_GET(self) -> None:  # noqa: N802 - as the base class calls it
        """Answer a person who opens the address in a browser."""
        found = {"codec_server": "devserver payloads serve", "folder": str(self.blobs.folder)}
        self._answer(lambda: self._without_body(_json(found)))

    def do_POST(self) -> None:  # noqa: N802 - as the base class calls it
        """Answer a request of the protocol."""
        self._answer(self._run_action)

    def _without_body(self, answer: bytes) -> bytes:
        """The answer; a body, which would be read as the next request, is refused."""
        if "Transfer-Encoding" in self.headers or self.headers.get("Content-Length", "0") != "0":
            raise _RequestRefused(400, f"{self.command} requests have no body")
        return answer

    def _run_action(self) -> bytes:
        path, _, query = self.path.partition("?")
        action = path.rpartition("/")[2]
        if action not in ACTIONS:
            raise _RequestRefused(404, f"unknown path {path}: use /decode, /encode or /download")
        payloads = self._payloads()
        if action == "decode":
            keep = parse_qs(query).get("preserveStorageRefs") == ["true"]
            payloads = [
                decode_for_display(payload, self.blobs, self.max_shown, keep_reference=keep) for payload in payloads
            ]
        elif action == "download":
            limit = parse_size(MAX_DOWNLOAD, "MAX_DOWNLOAD")
            payloads = [decode_for_download(payload, self.blobs, limit) for payload in payloads]
        try:
            return _json({"payloads": payloads})
        except (ValueError, RecursionError):  # a number that is none, or nested more deeply than can be written
            raise _RequestRefused(400, FORM) from None

    def _payloads(self) -> list[Any]:
        body = self._body()
        try:
            payloads = json.loads(body, parse_constant=_refuse_constant)["payloads"]
        except (ValueError, TypeError, KeyError, RecursionError):
            payloads = None
        if not isinstance(payloads, list) or not all(isinstance(payload, dict) for payload in payloads):
            raise _RequestRefused(400, FORM)
        return payloads

    def _body(self) -> bytes:
        lengths = self.headers.get_all("Content-Length", [])
        if "Transfer-Encoding" in self.headers or not lengths:
            raise _RequestRefused(411, "the request needs a Content-Length")
        text = lengths[0].strip()
        if len(lengths) > 1 or not (text.isascii() and text.isdigit()):
            raise _RequestRefused(400, "the request has no valid Content-Length")
        if len(text.lstrip("0")) > len(str(MAX_BODY_BYTES)) or int(text) > MAX_BODY_BYTES:
            raise _RequestRefused(413, f"the request has more than {MAX_BODY_BYTES} bytes")
        body = self.read_body(int(text))
        if len(body) < int(text):
            raise _RequestRefused(400, f"the request ended, or stopped for too long, after {len(body)} of {text} bytes")
        return body

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
        named = self.headers.get_all("Host", [])
        host = ", ".join(named).partition(":")[0]
        if host not in HOSTS or len(named) > 1:
            raise _RequestRefused(
                403, f"the codec server only answers requests to {LOOPBACK} and localhost, not to {host or '(no host)'}"
            )
        if origin is None:
            if self.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
                raise _RequestRefused(403, "pages of other sites cannot use the codec server")
            return False
        if origin_of(origin) not in {origin_of(allowed) for allowed in type(self).origins()} - {None}:
            known = origin_of(origin)
            hint = f"; for your own Web UI, add --origin {known}" if known else ""
            raise _RequestRefused(403, f"pages of {origin} cannot use the codec server{hint}")
        return True

    def _send(self, status: int, body: bytes, origin: str | None) -> None:
        headers = {"Vary": "Origin", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
        if origin is not None:
            headers |= {
                "Access-Control-Allow-Origin": origin,
                "Access-Control-Allow-Methods": "POST, GET, OPTIONS",
                "Access-Control-Allow-Headers": "Content-Type, X-Namespace, Authorization, Authorization-Extras",
            }
        self.send_json(status, body, headers)


def _json(data: Any) -> bytes:
    return json.dumps(data, allow_nan=False).encode()


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
