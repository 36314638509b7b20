"""A TCP proxy between clients and a server, to cut, slow and reset their network."""

from __future__ import annotations

import asyncio
import math
import socket
from collections.abc import Callable, Coroutine
from functools import partial
from types import TracebackType
from typing import Any, Literal, TypeVar

from ..system.loop_thread import LoopThread
from .listener import Listener, clients_of
from .tcp_connections import RESET, ConnectionPair, Link

T = TypeVar("T")
Direction = Literal["both", "to_server", "to_client"]
Blocking = Literal["refused", "reset", "silent"]

DIRECTIONS: dict[Direction, tuple[Direction, ...]] = {
    "both": ("to_server", "to_client"),
    "to_server": ("to_server",),
    "to_client": ("to_client",),
}


class TcpProxy:
    """Forwards every connection made to `address` to the server at `target` (`host:port`), until `close`.

    The proxy has its own thread. Methods can be called from any thread and event loop, and have taken effect when they
    return, in well under a millisecond. `direction` is `both`, `to_server` or `to_client`.

    Raises:
        ValueError: `target` is not `host:port`.
        OSError: `host` is not an address of this machine, or the port is taken.
    """

    def __init__(self, target: str, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self._host, self._port = _split(target)
        self.target = target
        self._listener = Listener(host, port)
        self._blocked: Blocking | None = None
        self.address = f"{host}:{self._listener.port}"
        self._links: dict[Direction, Link] = {direction: Link() for direction in DIRECTIONS["both"]}
        self._carried: dict[asyncio.Task[None], ConnectionPair] = {}
        self._thread = LoopThread(f"tcp-proxy-{target}")
        self._thread.call(self._begin_accepting)

    def cut(self, direction: Direction = "both") -> None:
        """Forward nothing in that direction until `heal`, without closing connections, as when packets are lost.

        Data sent meanwhile arrives after `heal`, as TCP's retransmissions do; new connections wait too.
        """
        links = self._of(direction)

        def shut() -> None:
            for link in links:
                link.open.clear()

        self._call(shut)

    def heal(self, direction: Direction = "both") -> None:
        """Forward data in that direction again. The latency stays."""
        links = self._of(direction)

        def reopen() -> None:
            for link in links:
                link.open.set()

        self._call(reopen)

    def delay(self, seconds: float, direction: Direction = "both") -> None:
        """Set the latency of a direction (`both`: of each direction, so that an answer takes twice as long).

        Raises:
            ValueError: `seconds` is negative or not finite.
        """
        if not (math.isfinite(seconds) and seconds >= 0):
            raise ValueError(f"the latency must be a number of seconds, 0 or more, not {seconds!r}")
        links = self._of(direction)

        def set_all() -> None:
            for link in links:
                link.delay = seconds

        self._call(set_all)

    def reset(self) -> int:
        """Break every open connection with a TCP reset to both sides. New connections work.

        Returns:
            The number of connections that were open.
        """
        return self._submit(self._reset_all)

    def block(self, how: Blocking) -> None:
        """Let no connection through until `unblock`.

        `refused`: open connections are reset, new ones refused. `reset`: new ones are opened and reset at once.
        `silent`: open connections carry nothing, and the packets that open new ones are dropped, so that clients wait
        until their own time-out. The kernel still acknowledges what is sent on an open connection.

        Raises:
            CannotDrop: `silent`, and this system does not drop them.
        """
        self._submit(partial(self._block, how))

    def unblock(self) -> None:
        """Let connections through again; what was sent on open ones meanwhile arrives. The latency stays."""
        self._submit(self._unblock)

    @property
    def connections(self) -> int:
        """The number of open connections."""
        return self._call(lambda: len(self._carried))

    def close(self) -> None:
        """Break all connections and close the port. A second call does nothing."""
        if self._thread.close(self._shut):
            self._listener.close()

    def __enter__(self) -> TcpProxy:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<TcpProxy {self.address} -> {self.target}>"

    # In the proxy's thread

    def _begin_accepting(self) -> None:
        self._accepting = self._thread.loop.create_task(self._accept(self._listener.socket))

    def _submit(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        self._check()
        return self._thread.run(work())

    def _check(self) -> None:
        if self._thread.closed:
            raise RuntimeError(f"the proxy to {self.target} is closed")

    def _call(self, action: Callable[[], T]) -> T:
        self._check()
        return self._thread.call(action)

    def _of(self, direction: Direction) -> list[Link]:
        if direction not in DIRECTIONS:
            raise ValueError(f"the direction must be one of {', '.join(DIRECTIONS)}, not {direction!r}")
        return [self._links[direction] for direction in DIRECTIONS[direction]]

    async def _reset_all(self) -> int:
        carried = dict(self._carried)
        for task, pair in carried.items():
            pair.reset()
            task.cancel()
        await asyncio.gather(*carried, return_exceptions=True)
        return len(carried)

    async def _block(self, how: Blocking) -> None:
        await self._unblock()
        if how == "reset":
            await self._reset_all()
            self._blocked = how
            return
        await self._stop_accepting()
        if how == "refused":
            self._listener.refuse()
            await self._reset_all()
        else:
            try:
                self._listener.drop()
            except OSError:
                await self._unblock()
                raise
            for link in self._links.values():
                link.open.clear()
        self._blocked = how

    async def _unblock(self) -> None:
        self._blocked = None
        await self._stop_accepting()
        self._listener.listen()
        self._begin_accepting()
        for link in self._links.values():
            link.open.set()

    async def _stop_accepting(self) -> None:
        self._accepting.cancel()
        await asyncio.gather(self._accepting, return_exceptions=True)

    async def _accept(self, listener: socket.socket) -> None:
        async for client in clients_of(listener):
            self._carry(client)

    def _carry(self, client: socket.socket) -> None:
        if self._blocked == "reset":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            client.close()
            return
        pair = ConnectionPair(self._host, self._port, self._links["to_server"], self._links["to_client"])
        task = self._thread.loop.create_task(pair.carry(client))
        self._carried[task] = pair

        def ended(task: asyncio.Task[None]) -> None:
            del self._carried[task]
            client.close()  # if the task was cancelled before it started

        task.add_done_callback(ended)

    async def _shut(self) -> None:
        tasks: list[asyncio.Task[None]] = [self._accepting, *self._carried]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _split(target: str) -> tuple[str, int]:
    host, colon, port = target.rpartition(":")
    if not (host and colon and port.isdigit() and 0 < int(port) < 65536):
        raise ValueError(f"the server's address must be host:port, not {target!r}")
    return host.strip("[]"), int(port)
