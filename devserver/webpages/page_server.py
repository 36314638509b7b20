"""The web server of local pages: documents, files, actions and streams, all behind the request guard."""

from __future__ import annotations

import secrets
import threading
from types import TracebackType
from typing import Any

from ..errors import PortTaken
from ..system import ports
from .bounded_http import REQUEST_SECONDS, BoundedHttpServer
from .event_stream import EventStream
from .page_handler import Action, Files, Page, PageHandler
from .request_guard import LOOPBACK

END_SECONDS = 1.0  # for pages to take the end of their streams
SEND_SECONDS = 20.0  # a browser that takes nothing for longer is disconnected


class PageServer:
    """Serves pages in threads, from `with` until the end of the block; see the package for what it guards.

    Args:
        port: The port; 0 is any free port.
        preferred: With port 0: the port to take if it is free.
        option: The command-line option that errors name.
        limit: Seconds for a request to arrive.
        send_limit: Seconds for a browser to take what is sent.

    Raises:
        PortTaken: Another process listens on the port.
        StartFailed: The user may not listen on it.
    """

    def __init__(
        self,
        *,
        port: int = ports.ANY,
        preferred: int | None = None,
        option: str = "--port",
        limit: float = REQUEST_SECONDS,
        send_limit: float = SEND_SECONDS,
    ) -> None:
        self._pages: dict[str, Page] = {}
        self._files: dict[str, Files] = {}
        self._actions: dict[str, Action] = {}
        self._streams: dict[str, EventStream] = {}
        attributes = {
            "pages": self._pages,
            "files": self._files,
            "actions": self._actions,
            "streams": self._streams,
            "token": secrets.token_urlsafe(16),
            "start": secrets.token_hex(4),
            "send_limit": send_limit,
        }
        handler = type("Handler", (PageHandler,), attributes)
        self._server = BoundedHttpServer((LOOPBACK, 0), handler, limit, _listening(port, preferred, option))
        self._thread = threading.Thread(target=self._server.serve_forever, name="page-server", daemon=True)

    @property
    def url(self) -> str:
        """The address of the page `/`."""
        return f"http://{LOOPBACK}:{self._server.server_address[1]}/"

    def add_page(self, path: str, page: Page) -> None:
        """Answer GET with the document that `page` returns."""
        self._pages[path] = page

    def add_file(self, prefix: str, files: Files) -> None:
        """Answer GET of paths that begin so with the file that `files` finds for the rest; None is a 404."""
        self._files[prefix] = files

    def add_action(self, path: str, action: Action) -> None:
        """Answer POST of JSON with what `action` returns for it."""
        self._actions[path] = action

    def add_stream(self, path: str, stream: EventStream) -> None:
        """Send the stream to pages that connect."""
        self._streams[path] = stream

    def __enter__(self) -> PageServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for stream in self._streams.values():
            stream.end("ended")
            stream.drain(END_SECONDS)
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _listening(port: int, preferred: int | None, option: str) -> Any:
    if port == ports.ANY and preferred is not None:
        try:
            return ports.listen(LOOPBACK, preferred, option)
        except PortTaken:
            pass
    return ports.listen(LOOPBACK, port, option)
