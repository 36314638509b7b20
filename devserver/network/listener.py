"""A listening port that can refuse new connections for a time, or drop their packets."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

from ..system.ports import Reservation

BACKLOG = 128
PROBE_SECONDS = 0.1
ACCEPT_AGAIN_SECONDS = 0.05
MOST_WAITING = 16  # connections that fill a queue of length 0, on any system


class CannotDrop(OSError):
    """This system opens connections for a program although the program's queue is full."""


async def clients_of(listener: socket.socket) -> AsyncIterator[socket.socket]:
    """The connections to a listening socket that does not block, as they come, until this is cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        try:
            client, _ = await loop.sock_accept(listener)
        except OSError:  # no file descriptor is left, or the client has closed already
            await asyncio.sleep(ACCEPT_AGAIN_SECONDS)
        else:
            yield client


class Listener:
    """A port of `host` (0: any) that stays reserved while nothing listens on it.

    Raises:
        OSError: `host` is not an address of this machine, or the port is taken.
    """

    def __init__(self, host: str, port: int = 0) -> None:
        self._host = host
        self._reserved = None if port else Reservation(host, 0)
        self.port = self._reserved.port if self._reserved else port
        self._waiting: list[socket.socket] = []
        self.socket = self._listening(BACKLOG)

    def listen(self) -> socket.socket:
        """Take new connections, and return the socket that has them."""
        self._shut()
        self.socket = self._listening(BACKLOG)
        return self.socket

    def refuse(self) -> None:
        """Stop listening: the kernel answers each new connection with a reset, which a client calls refused."""
        self._shut()

    def drop(self) -> None:
        """Let the kernel drop the packets that open a connection (SYN), as it does for a program whose queue is full.

        Raises:
            CannotDrop: It does not.
        """
        self._shut()
        self.socket = self._listening(0)
        for _ in range(MOST_WAITING):
            client = socket.socket()
            client.settimeout(PROBE_SECONDS)
            try:
                client.connect((self._host, self.port))
            except TimeoutError:
                client.close()
                return
            self._waiting.append(client)
        self.listen()
        raise CannotDrop("this system does not drop connections to a program whose queue is full")

    def close(self) -> None:
        """Free the port."""
        self._shut()
        if self._reserved is not None:
            self._reserved.release()

    def _listening(self, backlog: int) -> socket.socket:
        made = socket.create_server((self._host, self.port), backlog=backlog)
        made.setblocking(False)
        return made

    def _shut(self) -> None:
        for each in (*self._waiting, self.socket):
            each.close()
        self._waiting = []
