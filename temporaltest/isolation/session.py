"""The shared server of a test run: started during collection, replaced if it is killed, released at the end."""

from __future__ import annotations

import contextlib
import os
import threading
from concurrent.futures import Future
from concurrent.futures import TimeoutError as OutOfTime
from pathlib import Path
from typing import TYPE_CHECKING

from devserver.errors import StartFailed

from ..backends import make
from ..backends.endpoint import Backend, ServerEndpoint
from ..errors import SetupError
from ..workers.background_loop import BackgroundLoop

if TYPE_CHECKING:
    from temporalio.client import Client

    from ..config import PluginConfig

CONNECT_SECONDS = 15.0
ABANDON_SECONDS = 5.0


class Session:
    """The session of one pytest process; those of xdist's workers share one server. `root` is pytest's rootdir."""

    def __init__(self, config: PluginConfig, root: Path = Path()) -> None:
        self.config = config
        self.root = root
        self.pid = os.getpid()
        self._lock = threading.RLock()
        self._starting: Future[ServerEndpoint] | None = None
        self._loop: BackgroundLoop | None = None
        self._backend: Backend | None = None
        self._clients: dict[str, Client] = {}

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
        """Start the shared server without waiting for it; a second call does nothing.

        The thread is a daemon, so that an interrupted run does not wait for a download. A server ends by itself when
        the process that started it dies.
        """
        with self._lock:
            if self._starting is not None:
                return
            self._starting = Future()
            try:
                arguments = (self.backend, self._starting)
            except SetupError as error:
                self._starting.set_exception(error)
                return
            threading.Thread(target=_start, args=arguments, name="temporaltest-server", daemon=True).start()
        import_sdk()

    def endpoint(self) -> ServerEndpoint:
        """The shared server, once it is ready; a new one if the last was killed.

        A start that failed twice is not repeated: each test that needs the server fails at once with the same error.

        Raises:
            devserver.DevServerError, SetupError: The server does not start; the message says why.
        """
        while True:
            with self._lock:
                self.begin()
                starting = self._starting
            assert starting is not None  # noqa: S101 - begin has set it
            endpoint = starting.result()
            if endpoint.alive():
                return endpoint
            with self._lock:
                if self._starting is starting:
                    self.release(endpoint)
                    self._starting = None

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

    def share(self, endpoint: ServerEndpoint, namespace: str) -> ServerEndpoint:
        """The same server with one namespace for all tests; `endpoint` returns it from now on."""
        from dataclasses import replace

        shared = replace(endpoint, namespace=namespace)
        with self._lock:
            self._starting = Future()
            self._starting.set_result(shared)
        return shared

    def release(self, endpoint: ServerEndpoint) -> None:
        """Release a server."""
        with self._lock:
            self._clients.pop(endpoint.address, None)
        self.backend.release(endpoint)

    def close(self) -> None:
        """Release the shared server and end the event loop. A start that is not finished is abandoned."""
        with self._lock:
            starting, self._starting = self._starting, None
            loop, self._loop = self._loop, None
            self._clients.clear()
        if loop is not None:
            loop.close()
        if starting is not None:
            with contextlib.suppress(OutOfTime):
                if starting.exception(ABANDON_SECONDS) is None:
                    self.backend.release(starting.result())


def _start(backend: Backend, starting: Future[ServerEndpoint]) -> None:
    try:
        starting.set_result(_shared(backend))
    except BaseException as error:  # noqa: BLE001 - raised again in each test that needs the server
        starting.set_exception(error)


def _shared(backend: Backend) -> ServerEndpoint:
    """The shared server. A start that failed is tried again once: the machine may have been too busy."""
    try:
        return backend.shared()
    except StartFailed:
        return backend.shared()


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
