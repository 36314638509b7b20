"""What a rehearsal happens on: a server of its own, the network before it, and a client that goes past that network."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from temporalio.client import Client

from ..netproxy import NetProxy
from ..server import DevServer

if TYPE_CHECKING:
    from typing_extensions import Self


class Host:
    """One server with its network. Several runs may happen on it, one after the other."""

    def __init__(self, server: DevServer, proxy: NetProxy, client: Client) -> None:
        self.server = server
        self.proxy = proxy
        self.client = client

    @classmethod
    async def open(cls, **options: object) -> Host:
        """Start a server; `options` are those of `DevServer.start`.

        Raises:
            StartFailed and its kin: It did not start; says why.
        """
        server = await DevServer.start_async(**{"ui": False, **options})  # type: ignore[arg-type]
        try:
            proxy = NetProxy(server.address)
            client = await Client.connect(server.address, namespace=server.namespace)
        except BaseException:
            await asyncio.to_thread(server.close)
            raise
        return cls(server, proxy, client)

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.server.log

    async def close(self) -> None:
        """End the server and the network."""
        self.server.thaw()
        self.proxy.close()
        await asyncio.to_thread(self.server.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
