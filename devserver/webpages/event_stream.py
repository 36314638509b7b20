"""The state of a page's parts, sent to open pages as server-sent events: without queues, so no browser is too slow."""

from __future__ import annotations

import contextlib
import json
import secrets
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

MAX_PAGES = 24
HEARTBEAT_SECONDS = 15.0
LEAST_SECONDS = 0.05  # between two events to one page


class EventStream:
    """Keeps the latest data of each key; any thread may publish.

    Args:
        heartbeat: Seconds after which a page without news gets a sign of life.
        most: Open pages at the same time.
    """

    def __init__(self, *, heartbeat: float = HEARTBEAT_SECONDS, most: int = MAX_PAGES) -> None:
        self._id = secrets.token_hex(4)
        self._heartbeat = heartbeat
        self._most = most
        self._changed = threading.Condition()
        self._number = 0
        self._latest: dict[str, tuple[int, str]] = {}  # the number of its last change, and its data as JSON
        self._pages: set[StreamedPage] = set()
        self._ended: dict[str, Any] | None = None

    @property
    def pages(self) -> int:
        """The number of open pages."""
        return len(self._pages)

    def publish(self, key: str, data: Any) -> None:
        """Send data to all pages, now and later; the same data again is not sent."""
        text = json.dumps(data)
        with self._changed:
            if self._latest.get(key, (0, None))[1] == text:
                return
            self._number += 1
            self._latest[key] = (self._number, text)
            for page in self._pages:
                page.wake()

    def publish_parts(self, parts: Mapping[str, str]) -> None:
        """Send the HTML of parts of the page, by the ids of their elements."""
        for key, html in parts.items():
            self.publish(key, {"html": html})

    def end(self, reason: str, *, final: bool = False) -> None:
        """End all connections; pages show the reason. If that is `final`, they do not connect again."""
        with self._changed:
            self._ended = self._ended or {"reason": reason, "final": final}
            self._changed.notify_all()
            for page in self._pages:
                page.wake()

    def wait_until_watched(self) -> bool:
        """Sleep while no page is open; whether one is, which is false once the stream has ended."""
        with self._changed:
            self._changed.wait_for(lambda: self._pages or self._ended is not None)
            return self._ended is None

    def sleep(self, seconds: float) -> None:
        """Sleep until the time is over or the stream has ended."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended is not None, seconds)

    def drain(self, seconds: float) -> None:
        """Wait, at most so long, until all pages have taken what they get before the end."""
        with self._changed:
            self._changed.wait_for(lambda: not self._pages, seconds)

    def has_page(self) -> bool:
        """Whether there is room for one more page."""
        return self._ended is None and len(self._pages) < self._most

    @contextlib.contextmanager
    def page(self, connection: socket.socket, seen: str | None) -> Iterator[StreamedPage]:
        """A page on this connection, until the end of the block; `seen` is the id of the last event that it has."""
        page = StreamedPage(connection, self._number_of(seen))
        with self._changed:
            self._pages.add(page)
            self._changed.notify_all()
        try:
            yield page
        finally:
            with self._changed:
                self._pages.discard(page)
                page.close()
                self._changed.notify_all()

    def write(self, page: StreamedPage, send: Callable[[bytes], object], start: str) -> None:
        """Send events until the page or the stream ends; the first one names the `start` of the server.

        Raises:
            OSError: The connection has ended, or takes nothing.
        """
        send(b"retry: 1000\n" + _event("start", {"start": start}))
        while True:
            with self._changed:
                ended, news = self._ended, self._news(page)
            if news:
                send(b"".join(news))
            if ended is not None:
                send(_event("end", ended))
                return
            if not page.wait(self._heartbeat):
                return
            if page.silent:
                send(b": heartbeat\n\n")

    def _news(self, page: StreamedPage) -> list[bytes]:
        changed = sorted((number, key) for key, (number, _) in self._latest.items() if number > page.seen)
        page.seen = self._number
        return [
            b"id: %b-%d\nevent: update\ndata: " % (self._id.encode(), number)
            + b'{"key": %b, "data": %b}\n\n' % (json.dumps(key).encode(), self._latest[key][1].encode())
            for number, key in changed
        ]

    def _number_of(self, seen: str | None) -> int:
        stream, _, number = (seen or "").partition("-")
        return int(number) if stream == self._id and number.isascii() and number.isdigit() and len(number) < 19 else 0


class StreamedPage:
    """One open page: what it has seen, and a way to wake its thread."""

    def __init__(self, connection: socket.socket, seen: int) -> None:
        self.seen = seen
        self.silent = False
        self._connection = connection
        self._wake, self._woken = socket.socketpair()
        self._wake.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._selector.register(connection, selectors.EVENT_READ)
        self._waited = 0.0

    def wake(self) -> None:
        """There is news."""
        with contextlib.suppress(OSError):  # it is awake already, or closed
            self._wake.send(b"1")

    def wait(self, seconds: float) -> bool:
        """Wait for news, or as long (`silent` is then true); False once the browser has closed the connection."""
        time.sleep(max(0.0, self._waited + LEAST_SECONDS - time.monotonic()))
        ready = [key.fileobj for key, _ in self._selector.select(seconds)]
        self._waited = time.monotonic()
        self.silent = not ready
        if self._woken in ready:
            self._woken.recv(4096)
        return self._connection not in ready  # a browser sends nothing on a stream: this is its end

    def close(self) -> None:
        """Close what wakes it."""
        self._selector.close()
        self._wake.close()
        self._woken.close()


def _event(name: str, data: Any) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()
