"""Where rehearsals run: a server, the network in front of it, a client that bypasses that network, and workers."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from temporalio.client import Client

from ...instances.dev_server import DevServer
from ...network.tcp_proxy import TcpProxy
from ...outages import Outages
from .worker_forkserver import WorkerForkServer

if TYPE_CHECKING:
    from typing_extensions import Self


class RehearsalEnvironment:
    """One server and its network, for one run after the other. `outages` breaks and restores both."""

    def __init__(self, server: DevServer, proxy: TcpProxy, client: Client, fork_server: WorkerForkServer) -> None:
        self.server = server
        self.proxy = proxy
        self.client = client
        self.fork_server = fork_server
        self.outages = Outages(server, proxy)
        self._closing = contextlib.ExitStack()

    @classmethod
    async def open(cls, fork_server: WorkerForkServer | None = None, **options: Any) -> RehearsalEnvironment:
        """Start a server; `options` are those of `DevServer.start`. `fork_server` can be shared with other
        environments; where it has ended, this environment gets its own.

        Raises:
            StartFailed and its kin: It did not start; says why.
        """
        with contextlib.ExitStack() as undo:
            if fork_server is None or not fork_server.running:
                fork_server = WorkerForkServer()  # it loads the SDK while the server starts
                undo.callback(fork_server.close)
            server = await DevServer.start_async(**{"ui": False, **options})
            undo.callback(server.close)
            proxy = TcpProxy(server.address)
            undo.callback(proxy.close)
            environment = cls(
                server, proxy, await Client.connect(server.address, namespace=server.namespace), fork_server
            )
            environment._closing = undo.pop_all()
        return environment

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.server.log

    async def close(self) -> None:
        """Close the network and release the server, which ends it."""
        self.outages.end(restart=False)
        await asyncio.to_thread(self._closing.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
