"""Carries ports out of a network namespace: `python -m devserver.cluster.isolation.carrier DESCRIPTOR...`.

Each descriptor is a socket that listens outside. A connection to it is continued, inside, to the same port.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterable

from ...network.tcp_connections import ConnectionPair, Link
from ...system.parent_death import bound_to_parent

BACKLOG = 128


def listen(host: str, ports: Iterable[int]) -> list[socket.socket]:
    """Sockets that listen on these ports, which this process has reserved."""
    found = []
    for port in ports:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
        found.append(listener)
    return found


def start(listeners: Iterable[socket.socket]) -> subprocess.Popen[bytes]:
    """Start the process that carries these ports into the network of this process; it ends with this process."""
    descriptors = [listener.fileno() for listener in listeners]
    words = bound_to_parent([sys.executable, "-m", __name__, *map(str, descriptors)])
    return subprocess.Popen(words, stdin=subprocess.DEVNULL, pass_fds=descriptors, start_new_session=True)


async def carry(listeners: Iterable[socket.socket]) -> None:
    """Carry connections, forever."""
    await asyncio.gather(*(_accept(listener) for listener in listeners))


async def _accept(listener: socket.socket) -> None:
    host, port = listener.getsockname()
    listener.setblocking(False)
    running: set[asyncio.Task[None]] = set()
    while True:
        client, _ = await asyncio.get_running_loop().sock_accept(listener)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pair = ConnectionPair(host, port, Link(), Link())
        task = asyncio.create_task(_carry(pair, client))
        running.add(task)
        task.add_done_callback(running.discard)


async def _carry(pair: ConnectionPair, client: socket.socket) -> None:
    with contextlib.suppress(OSError):
        await pair.carry(client)


if __name__ == "__main__":
    asyncio.run(carry([socket.socket(fileno=int(number)) for number in sys.argv[1:]]))
