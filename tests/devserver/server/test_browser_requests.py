"""What a page in the user's browser can reach of a server: cross-site requests and DNS rebinding."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from devserver import DevServer
from devserver.config.server_options import ServerOptions
from devserver.executables import Executable
from devserver.server.command_line import Ports, command_line
from devserver.server.http_api import ALLOWED_HOSTS, HOST, HttpApi
from tests.helpers.waiting import eventually

START = "/api/v1/namespaces/default/workflows/of-a-page"
WORKFLOWS = "/api/v1/namespaces/default/workflows"
BODY = json.dumps({"workflowType": {"name": "Any"}, "taskQueue": {"name": "none"}})


@pytest.fixture
def server(installed: Executable) -> Iterator[DevServer]:
    """A server with its Web UI, and with the HTTP API that nobody asked for."""
    with DevServer.start(ui=True) as server:
        yield server


def posted(url: str, host: str) -> tuple[int, str]:
    """The answer to a request that a page can send from any site, without asking first."""
    headers = {"Host": host, "Content-Type": "text/plain", "Origin": "https://evil.example"}
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
    try:
        connection.request("POST", START, BODY, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def test_a_page_reaches_no_http_api(server: DevServer) -> None:
    """Whatever host a page makes its browser send, it starts no workflow; devserver, the Web UI and metrics work."""
    port = urlsplit(server.http_url).port or 0
    for host in ("127.0.0.1", "localhost", "evil.example", HOST, f"x.{HOST}"):
        assert posted(server.http_url, f"{host}:{port}") == (403, '{"code": 7, "message": "Host not allowed"}')
    assert httpx.get(f"{server.http_url}{WORKFLOWS}", headers={"Host": f"evil.example:{port}"}).status_code == 403
    ours = HttpApi("127.0.0.1", port)
    assert ours.call("GET", WORKFLOWS) == (200, {})
    assert ours.serves("default")
    eventually(lambda: httpx.get(f"{server.ui_url}{WORKFLOWS}").status_code == 200)  # it connects after the start
    assert posted(server.ui_url or "", "127.0.0.1")[0] == 400  # the token of its own pages is missing
    assert "acquire_shards_count" in httpx.get(server.metrics_url).text


def test_the_http_api_that_the_user_asks_for(installed: Executable) -> None:
    """With --http-port it answers everyone; of the hosts that the user lists, it answers these and devserver."""
    with DevServer.start(ui=False, http_port=0) as server:
        assert httpx.get(f"{server.http_url}{WORKFLOWS}").status_code == 200
        server.restart()
        assert httpx.get(f"{server.http_url}{WORKFLOWS}").status_code == 200
    with DevServer.start(ui=False, dynamic_config={ALLOWED_HOSTS: ["mine.example"]}) as server:
        assert httpx.get(f"{server.http_url}{WORKFLOWS}", headers={"Host": "mine.example"}).status_code == 200
        assert httpx.get(f"{server.http_url}{WORKFLOWS}").status_code == 403


@pytest.mark.parametrize(
    ("options", "hosts"),
    [
        (ServerOptions(), [HOST]),
        (ServerOptions(tuning="stock"), [HOST]),
        (ServerOptions(http_port=7243), None),
        (ServerOptions(http_port=0), None),
        (ServerOptions(http_port=7243, dynamic_config=((ALLOWED_HOSTS, '["a"]'),)), ["a", HOST]),
    ],
)
def test_hosts_on_the_command_line(options: ServerOptions, hosts: list[str] | None) -> None:
    """The HTTP API is closed unless the user gives its port, and never to devserver."""
    ports = Ports(grpc=1, http=2, metrics=3, ui=4)
    words = command_line(options, executable=Path("/t"), version="1.9.1", ports=ports, database=Path("/d.db"))
    given = [json.loads(word.partition("=")[2]) for word in words if word.startswith(ALLOWED_HOSTS)]
    assert given == ([] if hosts is None else [hosts])
