"""What a rehearsal happens on: a server of its own, the network before it, a client past that network, and workers."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from temporalio.client import Client

from ...errors import InstanceNotRunning
from ...instances.dev_server import DevServer
from ...network.tcp_proxy import Direction, TcpProxy
from .worker_forkserver import Nest

if TYPE_CHECKING:
    from typing_extensions import Self


class RehearsalEnvironment:
    """One server with its network. Several runs may happen on it, one after the other."""

    def __init__(self, server: DevServer, proxy: TcpProxy, client: Client, nest: Nest) -> None:
        self.server = server
        self.proxy = proxy
        self.client = client
        self.nest = nest
        self._usual: dict[Direction, float] = {}
        self._closing = contextlib.ExitStack()

    @classmethod
    async def open(cls, nest: Nest | None = None, **options: Any) -> RehearsalEnvironment:
        """Start a server; `options` are those of `DevServer.start`. `nest` is shared with other hosts.

        Raises:
            StartFailed and its kin: It did not start; says why.
        """
        with contextlib.ExitStack() as undo:
            if nest is None:
                nest = Nest()  # it loads the SDK while the server starts
                undo.callback(nest.close)
            server = await DevServer.start_async(**{"ui": False, **options})
            undo.callback(server.close)
            proxy = TcpProxy(server.address)
            undo.callback(proxy.close)
            host = cls(server, proxy, await Client.connect(server.address, namespace=server.namespace), nest)
            host._closing = undo.pop_all()
        return host

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.server.log

    def usually(self, seconds: float, way: Direction) -> None:
        """What passes takes so long when no fault makes it slower."""
        self._usual[way] = seconds
        self.hasten()

    def hasten(self) -> None:
        """Let what passes take as long as usually."""
        self.proxy.delay(0)
        for way, seconds in self._usual.items():
            self.proxy.delay(seconds, way)

    async def close(self) -> None:
        """End the server and the network."""
        with contextlib.suppress(InstanceNotRunning):
            self.server.thaw()
        await asyncio.to_thread(self._closing.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
