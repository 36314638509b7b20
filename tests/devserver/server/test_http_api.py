"""The server's HTTP face: ready means that history and visibility answer, and nothing else counts as an answer."""

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
from devserver.errors import NamespaceRefused
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
    """A server that answers each path as told."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, Any]] = {}
        self.asked: list[str] = []


@pytest.fixture
def pretender() -> Iterator[tuple[Pretender, HttpApi]]:
    """It and a frontend that speaks to it."""
    told = Pretender()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.asked.append(self.path)
            status, body = told.answers[self.path.partition("?")[0]]
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
        yield told, HttpApi("127.0.0.1", server.server_port)
        server.shutdown()
        thread.join()


@pytest.fixture
def real(installed: Executable) -> Iterator[HttpApi]:
    """A real server's."""
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
    """An open port is not enough: the workflow's shard is owned, and lists can be read."""
    told, frontend = pretender
    told.answers = {PROBE: looked_up, LIST: listed}
    assert frontend.serves("default") is ready


@pytest.mark.parametrize("body", [b"<html>", b"", b"[]", b'"x"', b"\xff"])
def test_another_programs_answer_is_none(pretender: tuple[Pretender, HttpApi], body: bytes) -> None:
    """Whatever else listens on the port, it is not taken for a server, and is no bug of ours."""
    told, frontend = pretender
    told.answers = {PROBE: (200, body)}
    with pytest.raises(NotAnswering):
        frontend.serves("default")


def test_nobody_listens() -> None:
    """No connection is no answer."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(NotAnswering):
        HttpApi("127.0.0.1", port).serves("default")


def test_a_frozen_server_is_not_waited_for() -> None:
    """It takes the connection and says nothing: the limit holds."""
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(NotAnswering):
        HttpApi("127.0.0.1", listener.getsockname()[1], limit=0.05).serves("default")


def test_proxies_are_not_asked(pretender: tuple[Pretender, HttpApi], monkeypatch: pytest.MonkeyPatch) -> None:
    """A company's proxy settings do not come between us and this machine's server."""
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    told, frontend = pretender
    told.answers = {PROBE: MISSING_WORKFLOW, LIST: LISTED}
    assert frontend.serves("default")
    assert len(told.asked) == 2


def test_names_are_quoted_in_paths(pretender: tuple[Pretender, HttpApi]) -> None:
    """A namespace may hold what means something in an address."""
    told, frontend = pretender
    base = "/api/v1/namespaces/a%3F%23%25b/workflows"
    told.answers = {f"{base}/devserver-readiness-probe": MISSING_WORKFLOW, base: LISTED}
    assert frontend.serves("a?#%b")


# The real server


def test_a_namespace_is_made_and_set(real: HttpApi) -> None:
    """Made with its retention, changed on request, and left alone where it is right."""
    assert not real.serves("orders")
    assert real.retention("orders") is None
    real.ensure_namespace("orders", 2 * 86400)
    assert real.retention("orders") == 2 * 86400
    eventually(lambda: real.serves("orders"))
    real.ensure_namespace("orders", 3 * 86400)
    assert real.retention("orders") == 3 * 86400
    assert real.namespaces() == ["default", "orders"]
    assert real.server_version() == "1.32.0"


def test_what_temporal_refuses_is_told_in_its_words(real: HttpApi) -> None:
    """The namespace, Temporal's reason, and the options to change."""
    with pytest.raises(NamespaceRefused) as error:
        real.ensure_namespace("orders", 60)
    assert error.value.message.startswith("Temporal rejects the namespace orders: ")
    assert "retention" in error.value.message.lower()
    assert error.value.hint == "choose another name with --namespace, or another --retention"


def test_search_attributes_are_read_by_their_cli_names(real: HttpApi) -> None:
    """A new namespace has none of its own, and lists cannot be filtered by them."""
    assert real.search_attributes("default") == {}
    assert not real.knows("default", ["CustomerId"])
