"""A TCP proxy between clients and a server, to cut, slow and reset their network."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import math
import socket
import threading
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Literal, TypeVar

from .listener import Listener
from .tcp_connections import RESET, ConnectionPair, Link

T = TypeVar("T")
Direction = Literal["both", "to_server", "to_client"]
Blocking = Literal["refused", "reset", "silent"]

DIRECTIONS: dict[Direction, tuple[Direction, ...]] = {
    "both": ("to_server", "to_client"),
    "to_server": ("to_server",),
    "to_client": ("to_client",),
}
CALL_SECONDS = 10.0
ACCEPT_AGAIN_SECONDS = 0.05


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
        self._closing = threading.Lock()
        self._loop = asyncio.SelectorEventLoop()  # not that of a policy, which may be tied to another thread
        self._thread = threading.Thread(target=self._run, name=f"tcp-proxy-{target}", daemon=True)
        self._thread.start()

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
        self._check()
        return self._submit(self._reset_all(), CALL_SECONDS)

    def block(self, how: Blocking) -> None:
        """Let no connection through until `unblock`.

        `refused`: open connections are reset, new ones refused. `reset`: new ones are opened and reset at once.
        `silent`: open connections carry nothing, and the packets that open new ones are dropped, so that clients wait
        until their own time-out. The kernel still acknowledges what is sent on an open connection.

        Raises:
            CannotDrop: `silent`, and this system does not drop them.
        """
        self._check()
        self._submit(self._block(how), CALL_SECONDS)

    def unblock(self) -> None:
        """Let connections through again; what was sent on open ones meanwhile arrives. The latency stays."""
        self._check()
        self._submit(self._unblock(), CALL_SECONDS)

    @property
    def connections(self) -> int:
        """The number of open connections."""
        return self._call(lambda: len(self._carried))

    def close(self) -> None:
        """Break all connections and close the port. A second call does nothing."""
        with self._closing:
            if self._loop.is_closed():
                return
            with contextlib.suppress(concurrent.futures.TimeoutError):
                self._submit(self._shut(), CALL_SECONDS)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(CALL_SECONDS)
            self._listener.close()
            self._loop.close()

    def __enter__(self) -> TcpProxy:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<TcpProxy {self.address} -> {self.target}>"

    # In the proxy's thread

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._accepting = self._loop.create_task(self._accept(self._listener.socket))
        self._loop.run_forever()

    def _submit(self, work: Coroutine[Any, Any, T], limit: float) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(limit)

    def _check(self) -> None:
        if self._loop.is_closed():
            raise RuntimeError(f"the proxy to {self.target} is closed")

    def _call(self, action: Callable[[], T]) -> T:
        self._check()

        async def act() -> T:
            return action()

        return self._submit(act(), CALL_SECONDS)

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
        self._accepting = self._loop.create_task(self._accept(self._listener.listen()))
        for link in self._links.values():
            link.open.set()

    async def _stop_accepting(self) -> None:
        self._accepting.cancel()
        await asyncio.gather(self._accepting, return_exceptions=True)

    async def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = await self._loop.sock_accept(listener)
            except OSError:  # no file descriptor is left, or the client has closed already
                await asyncio.sleep(ACCEPT_AGAIN_SECONDS)
                continue
            self._carry(client)

    def _carry(self, client: socket.socket) -> None:
        if self._blocked == "reset":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            client.close()
            return
        pair = ConnectionPair(self._host, self._port, self._links["to_server"], self._links["to_client"])
        task = self._loop.create_task(pair.carry(client))
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
