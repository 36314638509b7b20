"""The server's HTTP API: ready means that history and visibility answer, and no other answer counts."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from devserver import DevServer
from devserver.errors import DatabaseFull, NamespaceRefused
from devserver.executables import Executable
from devserver.server.http_api import HttpApi, NotAnswering
from tests.helpers.waiting import eventually

MISSING_WORKFLOW = (404, {"code": 5, "message": "workflow not found", "details": []})
MISSING_NAMESPACE = (
    404,
    {"code": 5, "details": [{"@type": "type.googleapis.com/temporal.api.errordetails.v1.NamespaceNotFoundFailure"}]},
)
NO_SHARD = (503, {"code": 14, "message": "shard status unknown"})
LISTED: tuple[int, Any] = (200, {})


class Pretender:
    """A fake server with a given answer for each path."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, Any]] = {}
        self.asked: list[str] = []


@pytest.fixture
def pretender() -> Iterator[tuple[Pretender, HttpApi]]:
    """A fake server and a client of it."""
    fake = Pretender()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            fake.asked.append(self.path)
            status, body = fake.answers[self.path.partition("?")[0]]
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield fake, HttpApi("127.0.0.1", server.server_port)
        server.shutdown()
        thread.join()


@pytest.fixture
def real(installed: Executable) -> Iterator[HttpApi]:
    """A client of a real server."""
    with DevServer.start() as server:
        host, _, port = server.http_url.removeprefix("http://").rpartition(":")
        yield HttpApi(host, int(port))


PROBE = "/api/v1/namespaces/default/workflows/devserver-readiness-probe"
LIST = "/api/v1/namespaces/default/workflows"


@pytest.mark.parametrize(
    ("looked_up", "listed", "ready"),
    [
        (MISSING_WORKFLOW, LISTED, True),
        ((200, {}), LISTED, True),
        (MISSING_NAMESPACE, LISTED, False),
        (NO_SHARD, LISTED, False),
        (MISSING_WORKFLOW, NO_SHARD, False),
    ],
)
def test_ready_means_that_history_and_visibility_answer(
    pretender: tuple[Pretender, HttpApi], looked_up: tuple[int, Any], listed: tuple[int, Any], ready: bool
) -> None:
    """An open port is not enough: the workflow's shard must be owned, and lists must work."""
    fake, frontend = pretender
    fake.answers = {PROBE: looked_up, LIST: listed}
    assert frontend.serves("default") is ready


@pytest.mark.parametrize("body", [b"<html>", b"", b"[]", b'"x"', b"\xff"])
def test_another_programs_answer(pretender: tuple[Pretender, HttpApi], body: bytes) -> None:
    """Another program on the port is not taken for a server, and causes no unexpected error."""
    fake, frontend = pretender
    fake.answers = {PROBE: (200, body)}
    with pytest.raises(NotAnswering):
        frontend.serves("default")


def test_no_server() -> None:
    """A refused connection is not an answer."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(NotAnswering):
        HttpApi("127.0.0.1", port).serves("default")


def test_a_frozen_server() -> None:
    """A server that accepts the connection and does not answer times out."""
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(NotAnswering):
        HttpApi("127.0.0.1", listener.getsockname()[1], limit=0.05).serves("default")


def test_proxies_are_not_used(pretender: tuple[Pretender, HttpApi], monkeypatch: pytest.MonkeyPatch) -> None:
    """Configured proxies do not apply to this machine's server."""
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    fake, frontend = pretender
    fake.answers = {PROBE: MISSING_WORKFLOW, LIST: LISTED}
    assert frontend.serves("default")
    assert len(fake.asked) == 2


def test_a_full_database_is_not_a_wrong_name(pretender: tuple[Pretender, HttpApi]) -> None:
    """The error names the cause, and the hint is not to choose another namespace."""
    fake, frontend = pretender
    fake.answers = {
        "/api/v1/namespaces": (503, {"code": 14, "message": "CreateNamespace: database or disk is full (13)"})
    }
    with pytest.raises(DatabaseFull, match="has no room for") as error:
        frontend.namespaces()
    assert "devserver doctor" in (error.value.hint or "")


def test_names_are_quoted_in_paths(pretender: tuple[Pretender, HttpApi]) -> None:
    """A namespace may contain characters that are special in URLs."""
    fake, frontend = pretender
    base = "/api/v1/namespaces/a%3F%23%25b/workflows"
    fake.answers = {f"{base}/devserver-readiness-probe": MISSING_WORKFLOW, base: LISTED}
    assert frontend.serves("a?#%b")


# The real server


def test_create_and_update_a_namespace(real: HttpApi) -> None:
    """It is created with its retention, updated on request, and unchanged if it already matches."""
    assert not real.serves("orders")
    assert real.retention("orders") is None
    real.ensure_namespace("orders", 2 * 86400)
    assert real.retention("orders") == 2 * 86400
    eventually(lambda: real.serves("orders"))
    real.ensure_namespace("orders", 3 * 86400)
    assert real.retention("orders") == 3 * 86400
    assert real.namespaces() == ["default", "orders"]
    assert real.server_version() == "1.32.0"


def test_create_a_namespace_that_exists(real: HttpApi) -> None:
    """A namespace that exists keeps its retention when it is created again."""
    assert real.create_namespace("created", 86400)
    assert not real.create_namespace("created", 172800)
    assert real.retention("created") == 86400


def test_a_refused_namespace(real: HttpApi) -> None:
    """The error has the namespace, Temporal's reason and the options to change."""
    with pytest.raises(NamespaceRefused) as error:
        real.ensure_namespace("orders", 60)
    assert error.value.message.startswith("Temporal rejects the namespace orders: ")
    assert "retention" in error.value.message.lower()
    assert error.value.hint == "choose another name with --namespace, or another --retention"


def test_search_attributes_have_cli_names(real: HttpApi) -> None:
    """A new namespace has no custom attributes, so lists cannot be filtered by them."""
    assert real.search_attributes("default") == {}
    assert not real.knows("default", ["CustomerId"])
