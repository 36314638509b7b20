"""The TLS port, in front of a small server."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from devserver.network import tls_front
from devserver.network.certificates import CertificateFiles, issue
from devserver.network.tls_front import TlsFront
from devserver.system.ports import Reservations
from tests.helpers.waiting import LIMIT, eventually

HOST = "127.0.0.1"


class Echo(socketserver.StreamRequestHandler):
    """Sends back what it gets."""

    def handle(self) -> None:
        """Copy until the end."""
        while data := self.request.recv(1024):
            self.request.sendall(data)


@pytest.fixture
def target() -> Iterator[tuple[str, int]]:
    """The address of a server without TLS."""
    with socketserver.ThreadingTCPServer((HOST, 0), Echo) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield HOST, server.server_address[1]
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> CertificateFiles:
    """Certificates."""
    return issue(tmp_path_factory.mktemp("certificates") / "tls", (HOST,))


@contextlib.contextmanager
def front(target: tuple[str, int], files: CertificateFiles) -> Iterator[int]:
    """The port of a TLS front of a server."""
    with Reservations(HOST) as reserved:
        port = reserved.take(0, None, "--tls-port")
        context = files.server_context(client_auth=False)
        with contextlib.closing(TlsFront(HOST, port, target=target, context=context)):
            yield port


def connect(port: int) -> socket.socket:
    """A connection to the port without TLS."""
    return socket.create_connection((HOST, port), timeout=LIMIT)


def connect_tls(port: int, ca: Path) -> ssl.SSLSocket:
    """A connection through which the server has answered."""
    context = ssl.create_default_context(cafile=str(ca))
    client = context.wrap_socket(connect(port), server_hostname=HOST)
    client.sendall(b"ping")
    assert client.recv(4) == b"ping"
    return client


def test_more_connections_than_it_takes(
    target: tuple[str, int], files: CertificateFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Connections up to the limit work, also those that say nothing count; one more is closed at once, and when
    another one has ended, the next one works."""
    monkeypatch.setattr(tls_front, "MOST_CONNECTIONS", 2)
    monkeypatch.setattr(tls_front, "HANDSHAKE_SECONDS", LIMIT)
    with front(target, files) as port, connect(port) as silent, connect_tls(port, files.ca) as client:
        with pytest.raises(OSError, match=r"EOF|[Rr]eset"):
            connect_tls(port, files.ca)
        client.sendall(b"more")
        assert client.recv(4) == b"more"
        silent.close()

        def works() -> bool:
            with contextlib.suppress(OSError), connect_tls(port, files.ca):
                return True
            return False

        eventually(works)  # the front learns a moment later that the other one has ended


def test_its_end_closes_everything(target: tuple[str, int], files: CertificateFiles) -> None:
    """After `close` no connection, port or thread is left, also of a client that has not finished its handshake."""
    with contextlib.ExitStack() as stack:
        with front(target, files) as port:
            clients = [stack.enter_context(connect(port)), stack.enter_context(connect_tls(port, files.ca))]
        for client in clients:
            with contextlib.suppress(ConnectionResetError, ssl.SSLEOFError):
                assert client.recv(1) == b""
    assert f"tls-front-{port}" not in {thread.name for thread in threading.enumerate()}
    with pytest.raises(ConnectionRefusedError):
        connect(port)


def test_a_taken_port(target: tuple[str, int], files: CertificateFiles) -> None:
    """It is an error, and leaves no thread."""
    with socket.create_server((HOST, 0)) as other, pytest.raises(OSError, match="in use"):
        TlsFront(HOST, other.getsockname()[1], target=target, context=files.server_context(client_auth=False))
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("tls-front")]
