"""The web server of local pages: who is answered, and how it bears slow, many and foreign clients."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest

from devserver.errors import DevServerError, PortTaken
from devserver.webpages import EventStream, PageFile, PageRequest, PageServer, RequestRefused, request_guard
from tests.helpers.waiting import LIMIT, eventually


class Site:
    """A server with a page, a file, an action and a stream."""

    def __init__(self, server: PageServer, stream: EventStream) -> None:
        self.server = server
        self.stream = stream
        self.done: list[Mapping[str, Any]] = []
        self.token = ""
        self.client = httpx.Client(verify=False, timeout=LIMIT)
        server.add_page("/", self.page)
        server.add_file("/files/", lambda rest: PageFile(b"<p>file</p>") if rest == "one" else None)
        server.add_action("/do", self.act)
        server.add_action("/refuse", self.refuse)
        server.add_stream("/events", stream)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server.url.rstrip("/").rpartition(":")[2])

    def page(self, request: PageRequest) -> str:
        """The page `/`; its token is what a script on it would read."""
        self.token = request.token
        return f"<!doctype html><title>page {request.query.get('q')}</title>"

    def act(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """An action that succeeds."""
        self.done.append(values)
        return {"message": "done"}

    def refuse(self, values: Mapping[str, Any]) -> None:
        """An action that cannot be done."""
        raise DevServerError("not now", details=["because"], hint="later")

    def get(self, path: str = "/", **headers: str) -> httpx.Response:
        """Send a GET."""
        return self.client.get(self.server.url + path[1:], headers=_named(headers))

    def post(self, path: str = "/do", body: Any = None, **headers: str) -> httpx.Response:
        """Send a POST as the page does."""
        content = json.dumps({} if body is None else body) if not isinstance(body, bytes) else body
        headers = {"Content-Type": "application/json", "X_Devserver_Token": self.token, **headers}
        return self.client.post(self.server.url + path[1:], headers=_named(headers), content=content)

    def listen(self, seen: str | None = None, buffer: int | None = None) -> socket.socket:
        """A connection to the stream."""
        connection = socket.socket()
        if buffer is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        connection.settimeout(LIMIT)
        connection.connect(("127.0.0.1", self.port))
        known = f"Last-Event-ID: {seen}\r\n" if seen else ""
        connection.sendall(f"GET /events HTTP/1.1\r\nHost: localhost\r\n{known}\r\n".encode())
        return connection


def _named(headers: Mapping[str, str]) -> dict[bytes, bytes]:
    return {name.replace("_", "-").encode(): value.encode("latin-1") for name, value in headers.items()}


@pytest.fixture
def site(capfd: pytest.CaptureFixture[str]) -> Iterator[Site]:
    """A site that has been opened once; it must print nothing and end all connections."""
    with PageServer(send_limit=1) as server:
        site = Site(server, EventStream(heartbeat=0.1, most=3))
        with site.client:
            assert site.get().status_code == 200
            yield site
    eventually(lambda: not [thread for thread in threading.enumerate() if "process_request" in thread.name])
    assert capfd.readouterr() == ("", "")


def read_until(connection: socket.socket, text: bytes) -> bytes:
    """What a connection sends up to a text."""
    got = b""
    while text not in got:
        part = connection.recv(65536)
        assert part, got
        got += part
    return got


def test_a_document_brings_its_own_guards(site: Site) -> None:
    """A page is not kept by the browser, cannot be framed, and runs only scripts with its nonce, new each time."""
    first, second = site.get("/?q=1"), site.get("/")
    assert "page 1" in first.text
    assert first.headers["Cache-Control"] == "no-store"
    policy = first.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "script-src 'nonce-" in policy
    assert "unsafe" not in policy.replace("style-src-attr 'unsafe-inline'", "")
    assert policy != second.headers["Content-Security-Policy"]


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil:80", "", "10.0.0.1"])
def test_a_foreign_host_is_refused(site: Site, host: str) -> None:
    """A name that an attacker's DNS answers with 127.0.0.1 reaches no page, no action and no stream."""
    for path in ("/", "/events", "/files/one"):
        assert site.get(path, Host=host).status_code == 403
    assert site.post(Host=host).status_code == 403
    assert site.done == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "iframe"},
    ],
)
def test_pages_of_other_sites_are_refused(site: Site, headers: dict[str, str]) -> None:
    """Neither a page of the web nor one of another port of this machine reads or does anything."""
    for path in ("/", "/events", "/files/one"):
        assert site.get(path, **headers).status_code == 403
    assert site.post(**headers).status_code == 403
    assert site.done == []


def test_a_refused_form_ends_its_connection(site: Site) -> None:
    """What a form of another site contains is not answered as a request of its own."""
    inner = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
    head = "POST / HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example\r\nSec-Fetch-Mode: navigate\r\n"
    with socket.create_connection(("127.0.0.1", site.port), LIMIT) as connection:
        connection.sendall(f"{head}Content-Length: {len(inner)}\r\n\r\n".encode() + inner)
        got = b""
        while part := connection.recv(65536):
            got += part
    assert got.startswith(b"HTTP/1.1 403 ")
    assert got.count(b"HTTP/1.1 ") == 1


def test_a_link_of_another_site_may_lead_here(site: Site) -> None:
    """A person follows a link in the docs; a link to a stream or an action does nothing."""
    link = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}
    assert site.get("/", **link).status_code == 200
    assert site.get("/events", **link).status_code == 403
    assert site.post(**link).status_code == 403


def test_an_action_needs_the_token_of_the_page(site: Site) -> None:
    """A guessed or an old token does nothing; that of the page does."""
    for token in ("", "wrong", "\u00e9"):
        refused = site.post(X_Devserver_Token=token)
        assert refused.status_code == 403
        assert "load it again" in refused.json()["error"]
    assert site.done == []
    assert site.post(body={"name": "a"}).json() == {"message": "done"}
    assert site.done == [{"name": "a"}]


def test_an_action_that_cannot_be_done_says_why(site: Site) -> None:
    """The error's message, details and hint reach the page."""
    refused = site.post("/refuse")
    assert refused.status_code == 409
    assert {"error": "not now", "details": ["because"], "hint": "later"}.items() <= refused.json().items()


def test_an_action_that_misses_a_file_says_so(site: Site) -> None:
    """An error of the system reaches the page; it is not taken for a browser that has gone."""

    def missing(values: Mapping[str, Any]) -> None:
        raise FileNotFoundError(2, "No such file or directory", "notes.txt")

    site.server.add_action("/missing", missing)
    answer = site.post("/missing")
    assert answer.status_code == 500
    assert "notes.txt" in answer.json()["error"]


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"[]", {}, 400),
        (b"{", {}, 400),
        (b"[" * 60_000, {}, 400),
        (b"a" * 64_001, {}, 413),
        (b"a=1", {"Content_Type": "application/x-www-form-urlencoded"}, 415),
        (b"{}", {"Content_Type": "text/plain"}, 415),
    ],
)
def test_what_is_no_action_is_refused(site: Site, body: bytes, headers: dict[str, str], status: int) -> None:
    """A form of another page, a huge body and broken JSON are refused, with JSON that says why."""
    answer = site.post(body=body, **headers)
    assert answer.status_code == status
    assert answer.json()["error"]
    assert site.done == []


def test_unknown_paths_are_refused(site: Site) -> None:
    """Neither a path above the files nor another method is answered."""
    for path in ("/other", "/files/two", "/files/../do", "/do", "/%2e%2e/%2e%2e/etc/passwd"):
        assert site.get(path).status_code == 404
    assert site.post("/other").status_code == 404
    assert site.client.put(site.server.url).status_code == 501


def test_a_file_cannot_reach_the_page_that_links_to_it(site: Site) -> None:
    """A report that others wrote has an origin of its own and no network."""
    policy = site.get("/files/one").headers["Content-Security-Policy"]
    assert "sandbox" in policy
    assert "allow-same-origin" not in policy
    assert "connect-src" not in policy


def test_another_user_is_refused(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """On Linux, a connection of another user of this machine gets no page."""
    monkeypatch.setattr(os, "getuid", lambda: 4242)
    monkeypatch.setattr(request_guard, "ROOT", 4243)
    with (
        pytest.raises(RequestRefused, match="another user"),
        socket.create_connection(("127.0.0.1", site.port)) as made,
    ):
        request_guard.check_user(made.getsockname(), made.getpeername())
    site.client.close()
    site.client = httpx.Client(verify=False)
    assert site.get().status_code == 403


def test_a_taken_port_is_named() -> None:
    """An explicit port that is taken is an error; a preferred one gives way."""
    with PageServer() as first:
        port = int(first.url.rstrip("/").rpartition(":")[2])
        with pytest.raises(PortTaken, match=str(port)) as raised:
            PageServer(port=port)
        assert "--port" in str(raised.value.hint)
        with PageServer(preferred=port) as second:
            assert second.url != first.url


def test_a_page_gets_the_latest_state_and_then_changes(site: Site) -> None:
    """A new page gets each key once with its latest data; the same data again is not sent."""
    for number in range(1000):
        site.stream.publish("count", number)
    site.stream.publish("text", "</script>\n\ndata: x")
    with site.listen() as page:
        got = read_until(page, b"data: x")
        assert got.count(b"event: update") == 2
        assert b'"data": 999}' in got
        site.stream.publish("count", 999)
        site.stream.publish("count", 1000)
        assert read_until(page, b'"data": 1000}').count(b"event: update") == 1


def test_a_page_that_was_away_gets_only_what_changed(site: Site) -> None:
    """A browser that connects again names the last event that it has; ids of another start count for nothing."""
    site.stream.publish("a", 1)
    with site.listen() as page:
        got = read_until(page, b'"a"')
    seen = got.partition(b"id: ")[2].partition(b"\n")[0].decode()
    site.stream.publish("b", 2)
    with site.listen(seen) as page:
        assert b'"a"' not in read_until(page, b'"b"')
    for other in ("0-1", "-1", f"{seen}9999999999999999999999", "x", f"{seen.partition('-')[0]}-\u0663"):
        with site.listen(other.encode("ascii", "replace").decode()) as page:
            assert b'"a"' in read_until(page, b'"b"')


def test_nothing_is_done_while_no_page_is_open(site: Site) -> None:
    """Who publishes sleeps until a page connects, and knows when the last one has gone."""
    watched = threading.Event()

    def wait() -> None:
        if site.stream.wait_until_watched():
            watched.set()

    waiting = threading.Thread(target=wait, daemon=True)
    waiting.start()
    assert not watched.is_set()
    with site.listen() as page:
        assert watched.wait(LIMIT)
        read_until(page, b"start")
    eventually(lambda: site.stream.pages == 0)
    waiting.join()


def test_a_slow_browser_is_disconnected(site: Site) -> None:
    """A browser that takes nothing is dropped after its limit; what waits for it is one state, not a queue."""
    with site.listen(buffer=4096) as page:
        eventually(lambda: site.stream.pages == 1)
        number = 0
        while site.stream.pages:
            number += 1
            site.stream.publish("big", [number, "x" * 1_000_000])
            site.stream.sleep(0.01)
        assert page.recv(10)
    with site.listen() as other:
        read_until(other, b"start")


def test_too_many_pages_are_refused(site: Site) -> None:
    """More streams than allowed get an error; a closed page makes room."""
    pages = [site.listen() for _ in range(3)]
    for page in pages:
        read_until(page, b"start")
    assert site.get("/events").status_code == 503
    pages.pop().close()
    eventually(lambda: site.stream.pages == 2)
    with site.listen() as page:
        read_until(page, b"start")
    for page in pages:
        page.close()


def test_a_silent_stream_has_heartbeats(site: Site) -> None:
    """Something is sent from time to time, so that a dead connection is found."""
    with site.listen() as page:
        read_until(page, b": heartbeat")


def test_the_end_is_told_to_pages(site: Site) -> None:
    """Each page gets the reason, also one that comes later, and the connection ends."""
    with site.listen() as page:
        read_until(page, b"start")
        site.stream.end("it is over", final=True)
        assert b"it is over" in read_until(page, b"true}")
        while page.recv(100):
            pass
    assert not site.stream.wait_until_watched()
    assert site.get("/events").status_code == 503
