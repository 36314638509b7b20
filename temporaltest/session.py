"""The shared server of a test run: begun during collection, replaced when it was killed, given up at the end."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from .backends import Backend, Endpoint, make
from .loop import BackgroundLoop

if TYPE_CHECKING:
    from temporalio.client import Client

    from .config import Config

CONNECT_SECONDS = 15.0


class Session:
    """One per pytest process; xdist's workers each have one, and their servers are the same."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self._lock = threading.RLock()
        self._starting: Future[Endpoint] | None = None
        self._loop: BackgroundLoop | None = None
        self._backend: Backend | None = None
        self._clients: dict[str, Client] = {}

    @property
    def loop(self) -> BackgroundLoop:
        """Where clients and workers live."""
        with self._lock:
            if self._loop is None:
                self._loop = BackgroundLoop()
            return self._loop

    @property
    def backend(self) -> Backend:
        """Where servers come from."""
        with self._lock:
            if self._backend is None:
                self._backend = make(self.config)
            return self._backend

    def begin(self) -> None:
        """Start the shared server without waiting for it; a second call does nothing."""
        with self._lock:
            if self._starting is None:
                pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="temporaltest-server")
                self._starting = pool.submit(self._start)
                pool.shutdown(wait=False)

    def _start(self) -> Endpoint:
        import temporalio.client  # noqa: F401 - takes long, so it is done meanwhile

        return self.backend.shared()

    def endpoint(self) -> Endpoint:
        """The shared server, ready; a new one where the last was killed.

        Raises:
            devserver.DevServerError: It does not start; says why.
        """
        with self._lock:
            self.begin()
            starting = self._starting
        assert starting is not None  # noqa: S101 - begin has set it
        try:
            endpoint = starting.result()
        except BaseException:
            with self._lock:
                self._starting = None
            raise
        if endpoint.managed is None or endpoint.managed.running:
            return endpoint
        with self._lock:
            if self._starting is starting:
                self.backend.release(endpoint)
                self._clients.pop(endpoint.address, None)
                self._starting = None
        return self.endpoint()

    def client(self, endpoint: Endpoint) -> Client:
        """A client of the server, connected once; tests have clients of their own namespace on its connection."""
        with self._lock:
            if endpoint.address not in self._clients:
                self._clients[endpoint.address] = self.loop.run(_connect(endpoint), CONNECT_SECONDS)
            return self._clients[endpoint.address]

    def release(self, endpoint: Endpoint) -> None:
        """Give up a private server."""
        self._clients.pop(endpoint.address, None)
        self.backend.release(endpoint)

    def close(self) -> None:
        """Give up our hold on the shared server and end the loop."""
        with self._lock:
            starting, self._starting = self._starting, None
            loop, self._loop = self._loop, None
            self._clients.clear()
        if loop is not None:
            loop.close()
        if starting is not None and not starting.cancel():
            error = starting.exception()
            if error is None:
                self.backend.release(starting.result())


async def _connect(endpoint: Endpoint) -> Client:
    from temporalio.client import Client

    return await Client.connect(endpoint.address, **endpoint.connect)
