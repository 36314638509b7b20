"""The codec server under bad clients: each gets an answer or a quiet end, and others are served."""

from __future__ import annotations

import base64
import json
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from devserver.payloads import BlobFolder
from devserver.payloads.codec_server import CodecServer
from devserver.webpages.bounded_http import MAX_CONNECTIONS
from tests.helpers.waiting import LIMIT, eventually

HEAD = b"POST /decode HTTP/1.1\r\nHost: 127.0.0.1\r\n"
REFERENCE = base64.b64encode(b"temporal.api.sdk.v1.ExternalStorageReference").decode()


@pytest.fixture
def port(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Iterator[int]:
    """A codec server that waits a second for a request; it must print nothing and end all connections."""
    with CodecServer(BlobFolder(tmp_path / "payloads"), limit=1) as server:
        yield int(server.url.rpartition(":")[2])
        assert httpx.post(f"{server.url}/decode", json={"payloads": []}, timeout=LIMIT).json() == {"payloads": []}
        eventually(lambda: not handlers())
    assert capfd.readouterr() == ("", "")


def handlers() -> list[threading.Thread]:
    """The threads that have a connection."""
    return [thread for thread in threading.enumerate() if "process_request" in thread.name]


def connect(port: int) -> socket.socket:
    """A connection."""
    return socket.create_connection(("127.0.0.1", port), timeout=LIMIT)


def vanish(connection: socket.socket) -> None:
    """End a connection as a killed client does."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def answer(port: int, request: bytes) -> bytes:
    """Everything that the server sends until it ends the connection."""
    with connect(port) as connection:
        connection.sendall(request)
        parts = []
        while part := connection.recv(65536):
            parts.append(part)
        return b"".join(parts)


def sized(body: bytes) -> bytes:
    """A request with this body."""
    return HEAD + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def with_reference(data: bytes) -> bytes:
    """A request with a reference to a stored payload."""
    payload = {"metadata": {"messageType": REFERENCE}, "data": base64.b64encode(data).decode()}
    return sized(json.dumps({"payloads": [payload]}).encode())


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (b"Content-Length: 1000000000000000000\r\n", 413),
        (b"Content-Length: " + b"9" * 5000 + b"\r\n", 413),
        (b"Content-Length: -5\r\n", 400),
        (b"Content-Length: \xb2\r\n", 400),
        (b"Content-Length: 2\r\nContent-Length: 20\r\n", 400),
        (b"", 411),
        (b"Transfer-Encoding: chunked\r\n", 411),
        (b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n", 411),
        (b"Content-Length: 2\r\nHost: evil.example\r\n", 403),
        (b"X: y\r\n" * 200, 431),
    ],
)
def test_lengths(port: int, lines: bytes, status: int) -> None:
    """A length that is huge, missing or none is refused before the body is read."""
    head, _, body = answer(port, HEAD + lines + b"\r\n{}").partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status), head
    assert json.loads(body)["error"]


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (sized(b'{"payloads":[{"metadata":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}]}"), 400),
        (with_reference(b"[" * 100_000), 200),
        (with_reference(b'{"driverName":"devserver.folder","claimData":{"server":"\\ud800","sha256":"\\u0000"}}'), 200),
        (sized(b'{"payloads":[{"metadata":{"encoding":"\\ud800"},"data":"\\udfff"}]}'), 200),
        (sized('{"payloads":[{"metadata":{"messageType":"é"},"data":"é"}]}'.encode()), 200),
        (sized(b'{"payloads":[{"metadata":[1],"data":{}},{"metadata":{"messageType":7},"data":[]}]}'), 200),
        (sized(b'{"payloads":[{"data":"\xff\xfe"}]}'), 400),
        (sized(b'{"payloads":[{"data":NaN}]}'), 400),
        (sized(b'{"payloads":[{"data":1e999}]}'), 400),
        (sized(b'{"payloads":[{"data":' + b"9" * 10_000 + b"}]}"), 400),
        (sized(b"null"), 400),
        (sized(b'"payloads"'), 400),
        (sized(b""), 400),
        (b"POST http://[/decode HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\n\r\n{}", 400),
        (b"OPTIONS /decode HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 18\r\n\r\nGET / HTTP/1.1\r\n\r\n", 400),
        (b"DELETE / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 501),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 414),
    ],
)
def test_bodies(port: int, request_: bytes, status: int) -> None:
    """Whatever a request contains, there is one answer, and it is JSON."""
    head, _, body = answer(port, request_).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status), head
    found: dict[str, Any] = json.loads(body, parse_constant=pytest.fail)
    assert found["payloads" if status == 200 else "error"]


def test_slow_clients(port: int) -> None:
    """A request that stops halfway, or never stops to trickle, ends after the limit."""
    assert answer(port, b"") == b""
    assert b"after 2 of 200 bytes" in answer(port, HEAD + b"Content-Length: 200\r\n\r\n{}")
    assert b"HTTP/1.1 411" in answer(port, HEAD + b"X-Endless: ")
    with connect(port) as trickling:
        trickling.sendall(HEAD + b"Content-Length: 1000000\r\n\r\n{")
        trickling.settimeout(0.05)
        received = b""
        while not received:
            try:
                received = trickling.recv(65536)
            except TimeoutError:
                trickling.sendall(b" ")
        assert b"HTTP/1.1 400" in received


def test_vanished_clients(port: int) -> None:
    """A client that is killed before, in or after its request, or does not read its answer, leaves no trace."""
    large = sized(b'{"payloads":[{"data":"%s"}]}' % (b"x" * 20_000_000))
    for part in (b"", HEAD, large[:2000]):
        connection = connect(port)
        connection.sendall(part)
        vanish(connection)
    reading, silent = connect(port), connect(port)
    for connection in (reading, silent):
        connection.sendall(large)
    assert reading.recv(1)
    vanish(reading)
    eventually(lambda: not handlers())
    silent.close()


def test_idle_connections(port: int) -> None:
    """Many idle connections do not keep others from being served: the oldest ones end."""
    idle = [connect(port) for _ in range(3 * MAX_CONNECTIONS)]
    assert b"HTTP/1.1 200" in answer(port, sized(b'{"payloads":[]}'))
    eventually(lambda: len(handlers()) <= MAX_CONNECTIONS)
    for connection in idle:
        connection.close()
