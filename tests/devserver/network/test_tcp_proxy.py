"""The TCP proxy: cutting, slowing and resetting connections, on real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from devserver import TcpProxy
from tests.helpers.waiting import eventually

LIMIT = 60.0
QUIET_SECONDS = 0.15
MUCH = 8_000_000


class Server(socketserver.ThreadingTCPServer):
    """A server that echoes what it receives, and records it."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Echo)
        self.received = bytearray()
        self.open: list[socket.socket] = []

    @property
    def target(self) -> str:
        """The server's address, `host:port`."""
        return f"127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore broken connections, which these tests cause."""


class Echo(socketserver.BaseRequestHandler):
    """One connection of the server."""

    server: Server
    request: socket.socket

    def handle(self) -> None:
        """Echo until the client closes."""
        self.server.open.append(self.request)
        while data := self.request.recv(65536):
            self.server.received += data
            self.request.sendall(data)


@pytest.fixture
def server() -> Iterator[Server]:
    """An echo server."""
    with serving() as server:
        yield server


@contextlib.contextmanager
def serving(port: int = 0) -> Iterator[Server]:
    """Run an echo server on this port (0: any)."""
    with Server(port) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def proxy(server: Server) -> Iterator[TcpProxy]:
    """A proxy to the server."""
    with TcpProxy(server.target) as proxy:
        yield proxy


def connect(proxy: TcpProxy) -> socket.socket:
    """A client's connection through the proxy."""
    host, _, port = proxy.address.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=LIMIT)


def read(client: socket.socket, count: int) -> bytes:
    """Read exactly this many bytes."""
    data = b""
    while len(data) < count:
        data += client.recv(count - len(data))
    return data


def hears_nothing(client: socket.socket) -> bool:
    """Return whether nothing arrives for a while."""
    client.settimeout(QUIET_SECONDS)
    try:
        return not client.recv(1)
    except TimeoutError:
        return True
    finally:
        client.settimeout(LIMIT)


def test_data_passes_in_both_directions(proxy: TcpProxy) -> None:
    """Requests and answers of any size arrive complete and in order."""
    sent = bytes(range(256)) * (MUCH // 256)
    with connect(proxy) as client:
        sending = threading.Thread(target=client.sendall, args=(sent,))
        sending.start()
        received = read(client, len(sent))
        sending.join()
    assert hashlib.sha256(received).digest() == hashlib.sha256(sent).digest()


def test_half_close_is_passed_on(proxy: TcpProxy) -> None:
    """A client that has closed its side still gets the whole answer, and then the server's close."""
    with connect(proxy) as client:
        client.sendall(b"last words")
        client.shutdown(socket.SHUT_WR)
        assert read(client, 10) == b"last words"
        assert client.recv(1) == b""
    assert eventually(lambda: proxy.connections == 0)


def test_connections_are_separate(proxy: TcpProxy) -> None:
    """Each client gets its own answers."""
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(connect(proxy)) for _ in range(20)]
        for number, client in enumerate(clients):
            client.sendall(bytes([number]))
        assert [read(client, 1)[0] for client in clients] == list(range(20))
        assert proxy.connections == 20


def test_cut_holds_data(proxy: TcpProxy, server: Server) -> None:
    """While the network is cut, nothing arrives and no connection breaks; after `heal` all data arrives."""
    with connect(proxy) as client:
        client.sendall(b"1")
        assert read(client, 1) == b"1"
        proxy.cut()
        client.sendall(b"2")
        assert hears_nothing(client)
        assert server.received == b"1"
        proxy.heal()
        assert read(client, 1) == b"2"


def test_one_way_cut_to_the_server(proxy: TcpProxy, server: Server) -> None:
    """With the direction to the server cut, the server can send but receives nothing."""
    with connect(proxy) as client:
        client.sendall(b"1")
        assert read(client, 1) == b"1"
        proxy.cut("to_server")
        client.sendall(b"2")
        server.open[0].sendall(b"news")
        assert read(client, 4) == b"news"
        assert hears_nothing(client)
        assert server.received == b"1"


def test_one_way_cut_to_the_client(proxy: TcpProxy, server: Server) -> None:
    """With the direction to the client cut, the server receives requests but its answers are held."""
    with connect(proxy) as client:
        client.sendall(b"1")
        assert read(client, 1) == b"1"
        proxy.cut("to_client")
        client.sendall(b"2")
        assert eventually(lambda: server.received == b"12")
        assert hears_nothing(client)
        proxy.heal()
        assert read(client, 1) == b"2"


def test_connection_made_during_a_cut(proxy: TcpProxy, server: Server) -> None:
    """A connection opened while the network is cut works after `heal`."""
    proxy.cut()
    with connect(proxy) as client:
        client.sendall(b"x")
        assert hears_nothing(client)
        assert not server.open
        proxy.heal()
        assert read(client, 1) == b"x"


def test_server_death_during_a_cut(proxy: TcpProxy, server: Server) -> None:
    """A client learns of the server's death only after `heal`."""
    with connect(proxy) as client:
        client.sendall(b"1")
        assert read(client, 1) == b"1"
        proxy.cut("to_client")
        server.open[0].shutdown(socket.SHUT_RDWR)
        assert proxy.connections == 1
        client.setblocking(False)
        with pytest.raises(BlockingIOError):
            client.recv(1)
        client.settimeout(LIMIT)
        proxy.heal()
        assert client.recv(1) == b""


def test_cut_limits_memory(proxy: TcpProxy, server: Server) -> None:
    """A sender that continues during a cut is blocked before much memory is used."""
    proxy.cut()
    with connect(proxy) as client:
        client.settimeout(QUIET_SECONDS)
        with pytest.raises(TimeoutError):
            client.sendall(bytes(200_000_000))
        assert not server.received


@pytest.mark.parametrize(("way", "seconds"), [("both", 0.2), ("to_server", 0.1), ("to_client", 0.1)])
def test_latency(proxy: TcpProxy, way: Any, seconds: float) -> None:
    """Each direction takes longer by its latency, until the latency is reset."""
    with connect(proxy) as client:
        proxy.delay(0.1, way)
        before = time.monotonic()
        client.sendall(b"x")
        assert read(client, 1) == b"x"
        assert time.monotonic() - before >= seconds
        proxy.delay(0)
        client.sendall(b"y")
        assert read(client, 1) == b"y"


def test_latency_does_not_add_up(proxy: TcpProxy) -> None:
    """Data sent at once is delayed once, not once per chunk, and keeps its order."""
    proxy.delay(0.05)
    sent = bytes(range(256)) * 2000
    with connect(proxy) as client:
        client.sendall(sent)
        assert read(client, len(sent)) == sent


def test_reset_breaks_open_connections(proxy: TcpProxy) -> None:
    """Open connections are reset on both sides; new ones work."""
    with connect(proxy) as one, connect(proxy) as other:
        for client in (one, other):
            client.sendall(b"x")
            assert read(client, 1) == b"x"
        assert proxy.reset() == 2
        for client in (one, other):
            with pytest.raises(ConnectionResetError):
                client.recv(1)
        assert proxy.connections == 0
    with connect(proxy) as client:
        client.sendall(b"again")
        assert read(client, 5) == b"again"


def test_reset_during_a_cut(proxy: TcpProxy) -> None:
    """Connections with held data are reset too."""
    proxy.cut()
    with connect(proxy) as client:
        client.sendall(b"x")
        assert eventually(lambda: proxy.connections == 1)
        assert proxy.reset() == 1
        with pytest.raises(ConnectionResetError):
            client.recv(1)


def test_server_is_down() -> None:
    """A connection breaks at once while the server is down, and works when it is up."""
    with Server() as server:
        target = server.target
    with TcpProxy(target) as proxy:
        # The reset may come while the client still connects.
        with pytest.raises(ConnectionResetError), connect(proxy) as client:
            client.recv(1)
        with serving(int(target.rpartition(":")[2])), connect(proxy) as client:
            client.sendall(b"x")
            assert read(client, 1) == b"x"


def test_close_ends_everything(server: Server) -> None:
    """After `close` no connection, port or thread is left, and calls say that the proxy is closed."""
    threads = set(threading.enumerate())
    proxy = TcpProxy(server.target)
    with connect(proxy) as client:
        client.sendall(b"x")
        assert read(client, 1) == b"x"
        proxy.cut()
        proxy.close()
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    proxy.close()
    assert not [thread for thread in set(threading.enumerate()) - threads if thread.name.startswith("tcp-proxy")]
    with pytest.raises(ConnectionRefusedError):
        connect(proxy)
    calls: list[Callable[[], object]] = [proxy.cut, proxy.heal, proxy.reset, lambda: proxy.connections]
    for call in calls:
        with pytest.raises(RuntimeError, match="is closed"):
            call()


def test_close_with_unread_data(server: Server) -> None:
    """A client that never reads does not block `close`."""
    proxy = TcpProxy(server.target)
    with connect(proxy) as client:
        client.settimeout(QUIET_SECONDS)
        with pytest.raises(TimeoutError):
            client.sendall(bytes(200_000_000))
        proxy.close()


def test_usable_from_any_loop_and_thread(proxy: TcpProxy) -> None:
    """Coroutines and threads can cut and heal."""

    async def main() -> bytes:
        host, _, port = proxy.address.rpartition(":")
        proxy.cut()
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"x")
        healing = threading.Thread(target=proxy.heal)
        healing.start()
        answer = await reader.readexactly(1)
        healing.join()
        writer.close()
        await writer.wait_closed()
        return answer

    assert asyncio.run(main()) == b"x"


@pytest.mark.parametrize("target", ["", "localhost", "localhost:", ":7233", "host:port", "host:0", "host:70000"])
def test_invalid_target(target: str) -> None:
    """A target that is not `host:port` is an error that shows it."""
    with pytest.raises(ValueError, match="host:port") as caught:
        TcpProxy(target)
    assert repr(target) in str(caught.value)


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf")])
def test_invalid_latency(proxy: TcpProxy, seconds: float) -> None:
    """A latency that is negative or not finite is an error."""
    with pytest.raises(ValueError, match="0 or more"):
        proxy.delay(seconds)


def test_invalid_direction(proxy: TcpProxy) -> None:
    """An unknown direction is an error that lists the valid ones."""
    with pytest.raises(ValueError, match="both, to_server, to_client"):
        proxy.cut("up")  # type: ignore[arg-type]


def opened(proxy: TcpProxy) -> str:
    """What a new connection meets: `answered`, `no answer`, or the name of the error."""
    host, _, port = proxy.address.rpartition(":")
    try:
        client = socket.create_connection((host, int(port)), timeout=QUIET_SECONDS)
    except OSError as error:
        return type(error).__name__
    with client:
        try:
            client.sendall(b"x")
            return "answered" if client.recv(1) else "closed"
        except TimeoutError:
            return "no answer"
        except OSError as error:
            return type(error).__name__


@pytest.mark.parametrize(
    ("how", "new"),
    [
        ("refused", {"ConnectionRefusedError"}),
        ("reset", {"ConnectionResetError", "BrokenPipeError"}),
        ("silent", {"TimeoutError"}),
    ],
)
def test_a_blocked_network(proxy: TcpProxy, how: Any, new: set[str]) -> None:
    """New connections are refused, broken, or never opened: their packets are dropped; afterwards all is as before."""
    with connect(proxy) as client:
        client.sendall(b"a")
        assert read(client, 1) == b"a"
        proxy.block(how)
        assert opened(proxy) in new
        if how == "silent":
            client.sendall(b"b")
            assert hears_nothing(client)
        else:
            with pytest.raises(ConnectionResetError):
                client.recv(1)
        proxy.unblock()
        if how == "silent":
            assert read(client, 1) == b"b"
    with connect(proxy) as client:
        client.sendall(b"c")
        assert read(client, 1) == b"c"
