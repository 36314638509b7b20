"""Answers one connection of a page: with a document, a file, an action or a stream, all behind the request guard."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import parse_qsl, unquote

from ..errors import DevServerError
from .bounded_http import BoundedHandler
from .event_stream import EventStream
from .request_guard import PageRequest, RequestRefused, check_host, check_site, check_token, check_user

MAX_BODY_BYTES = 64_000
HTML = "text/html; charset=utf-8"
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
NO_MORE: Mapping[str, str] = {}
DOCUMENT_POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; style-src-attr 'unsafe-inline'; "
    "img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# A file was written by others: it gets an origin of its own, and can reach nothing.
FILE_POLICY = (
    "sandbox allow-scripts allow-popups allow-modals; default-src 'none'; script-src 'unsafe-inline'; "
    "style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

Page = Callable[[PageRequest], str]
Action = Callable[[Mapping[str, Any]], "Mapping[str, Any] | None"]


@dataclass(frozen=True)
class PageFile:
    """A file to show: `content`, its type, and with `download` the name under which a browser saves it."""

    content: bytes
    kind: str = HTML
    download: str | None = None


Files = Callable[[str], "PageFile | None"]


class PageHandler(BoundedHandler):
    """Handles one connection; `PageServer` makes a subclass with its pages."""

    pages: ClassVar[Mapping[str, Page]]
    files: ClassVar[Mapping[str, Files]]
    actions: ClassVar[Mapping[str, Action]]
    streams: ClassVar[Mapping[str, EventStream]]
    token: ClassVar[str]
    start: ClassVar[str]
    send_limit: ClassVar[float]
    _known_user = False

    def setup(self) -> None:
        """Limit the sending."""
        super().setup()
        self.connection.settimeout(max(self.send_limit, self.server.limit))

    def do_GET(self) -> None:  # noqa: N802 - as the base class calls it
        """Answer with a document, a file or a stream."""
        self._answer(self._get)

    def do_POST(self) -> None:  # noqa: N802 - as the base class calls it
        """Run an action."""
        self._answer(self._post)

    def _answer(self, action: Callable[[str], None]) -> None:
        path, _, _ = self.path.partition("?")
        try:
            check_host(self.headers)
            if not self._known_user:
                check_user(self.client_address, self.server.server_address)  # type: ignore[arg-type]
                self._known_user = True
            check_site(self.headers, navigation=self.command == "GET" and path not in self.streams)
            action(unquote(path))
        except RequestRefused as refused:
            self._refuse(refused)
        except DevServerError as error:
            self.send_json(409, {**error.to_json(), "error": error.message}, HEADERS)
        except (ConnectionError, TimeoutError):
            raise  # the browser has gone, or takes nothing
        except Exception as error:  # noqa: BLE001 - the page shows it; the server continues
            self.send_json(500, {"error": f"{type(error).__name__}: {error}"}, HEADERS)

    def _refuse(self, refused: RequestRefused) -> None:
        """Say why: in JSON, to a person as text."""
        if self.headers.get("Sec-Fetch-Mode") != "navigate":
            self.send_json(refused.status, {"error": str(refused)}, HEADERS)
            return
        # The connection ends: what a form of another site has sent after the head would be read as a request.
        text, ends = f"{refused}\n".encode(), {"Connection": "close"}
        self._send(text, "text/plain; charset=utf-8", FILE_POLICY, ends, refused.status)

    def _get(self, path: str) -> None:
        if path in self.pages:
            nonce = secrets.token_urlsafe(16)
            query = dict(parse_qsl(self.path.partition("?")[2]))
            document = self.pages[path](PageRequest(path, query, nonce, self.token, self.start))
            self._send(document.encode(errors="replace"), HTML, DOCUMENT_POLICY.format(nonce=nonce))
            return
        if path in self.streams:
            self._send_events(self.streams[path])
            return
        for prefix, files in self.files.items():
            if path.startswith(prefix) and (file := files(path[len(prefix) :])) is not None:
                more = (
                    {} if file.download is None else {"Content-Disposition": f'attachment; filename="{file.download}"'}
                )
                self._send(file.content, file.kind, FILE_POLICY, more)
                return
        raise RequestRefused(404, "there is no such page")

    def _post(self, path: str) -> None:
        values = self._values()
        check_token(self.headers, self.token)
        action = self.actions.get(path)
        if action is None:
            raise RequestRefused(404, "there is no such action")
        self.send_json(200, dict(action(values) or {}), HEADERS)

    def _values(self) -> dict[str, Any]:
        length = self.headers.get("Content-Length", "")
        if "Transfer-Encoding" in self.headers or not (length.isascii() and length.isdigit()):
            raise RequestRefused(411, "the request needs a Content-Length")
        if len(length) > len(str(MAX_BODY_BYTES)) or int(length) > MAX_BODY_BYTES:
            raise RequestRefused(413, f"the request has more than {MAX_BODY_BYTES} bytes")
        body = self.read_body(int(length))
        if self.headers.get_content_type() != "application/json":
            raise RequestRefused(415, "the request must be JSON")
        try:
            values = json.loads(body)
        except (ValueError, RecursionError):
            values = None
        if not isinstance(values, dict):
            raise RequestRefused(400, "the request must be a JSON object")
        return values

    def _send(self, body: bytes, kind: str, policy: str, more: Mapping[str, str] = NO_MORE, status: int = 200) -> None:
        headers = {**HEADERS, "Content-Security-Policy": policy, "Content-Type": kind, **more}
        self.server.request_arrived(self.connection)
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _send_events(self, stream: EventStream) -> None:
        if not stream.has_page():
            raise RequestRefused(503, "too many pages are open: close some")
        self.close_connection = True
        self.server.request_arrived(self.connection)
        self.connection.settimeout(self.send_limit)
        self.send_response(200)
        for name, value in {**HEADERS, "Content-Type": "text/event-stream", "Connection": "close"}.items():
            self.send_header(name, value)
        self.end_headers()
        seen = self.headers.get("Last-Event-ID") or dict(parse_qsl(self.path.partition("?")[2])).get("seen")
        with stream.page(self.connection, seen) as page:
            stream.write(page, self.wfile.write, self.start)
