"""The session of one pytest process: its shared servers, their clients, and the loop that these run in."""

from __future__ import annotations

import os
import threading
from concurrent.futures import TimeoutError as OutOfTime
from pathlib import Path
from typing import TYPE_CHECKING

from ..backends import make
from ..backends.endpoint import Backend, ServerEndpoint
from ..errors import SetupError
from ..workers.background_loop import BackgroundLoop
from .shared_servers import SharedServers

if TYPE_CHECKING:
    from temporalio.client import Client

    from ..config import PluginConfig

CONNECT_SECONDS = 15.0


class Session:
    """The session of one pytest process; those of xdist's workers share one server. `root` is pytest's rootdir."""

    def __init__(self, config: PluginConfig, root: Path = Path()) -> None:
        self.config = config
        self.root = root
        self.pid = os.getpid()
        self._lock = threading.RLock()
        self._loop: BackgroundLoop | None = None
        self._backend: Backend | None = None
        self._clients: dict[str, Client] = {}
        self.servers = SharedServers(lambda: self.backend, self._forget)

    @property
    def loop(self) -> BackgroundLoop:
        """The event loop of the clients."""
        with self._lock:
            if self._loop is None:
                self._loop = BackgroundLoop()
            return self._loop

    @property
    def backend(self) -> Backend:
        """The backend that provides servers."""
        with self._lock:
            if self._backend is None:
                self._backend = make(self.config)
            return self._backend

    def begin(self) -> None:
        """Start the shared server without waiting for it; a second call does nothing."""
        self.servers.begin()
        import_sdk()

    def client(self, endpoint: ServerEndpoint) -> Client:
        """A client of the server, connected once; the clients of tests share its connection."""
        with self._lock:
            if endpoint.address not in self._clients:
                limit = self.config.at_least(CONNECT_SECONDS)
                try:
                    self._clients[endpoint.address] = self.loop.run(_connect(endpoint), limit)
                except OutOfTime:
                    raise SetupError(
                        f"the Temporal server at {endpoint.address} does not answer within {limit:g} s"
                    ) from None
            return self._clients[endpoint.address]

    def connected_to(self, address: str) -> bool:
        """Whether a server of this run has that address."""
        with self._lock:
            return address in self._clients

    def share(self, endpoint: ServerEndpoint, namespace: str) -> ServerEndpoint:
        """The same server with one namespace for all tests; tests get it from now on."""
        from dataclasses import replace

        shared = replace(endpoint, namespace=namespace)
        self.servers.share(shared)
        return shared

    def release(self, endpoint: ServerEndpoint) -> None:
        """Release a private server."""
        self._forget(endpoint)
        self.backend.release(endpoint)

    def _forget(self, endpoint: ServerEndpoint) -> None:
        with self._lock:
            self._clients.pop(endpoint.address, None)

    def close(self) -> None:
        """Release the shared servers and end the event loop."""
        with self._lock:
            loop, self._loop = self._loop, None
            self._clients.clear()
        if loop is not None:
            loop.close()
        self.servers.close()


def import_sdk() -> None:
    """Import the SDK in the main thread, its client first.

    Its modules import each other in a circle: some cannot be imported first, and none by two threads at a time.
    """
    import temporalio.client  # noqa: F401


async def _connect(endpoint: ServerEndpoint) -> Client:
    from temporalio.client import Client

    try:
        return await Client.connect(endpoint.address, **endpoint.connect)
    except RuntimeError as error:
        raise SetupError(f"the Temporal server at {endpoint.address} does not answer: {error}") from None
