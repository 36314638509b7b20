"""The servers that the tests of a process share: the current one, its successor, and those that tests still use."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as OutOfTime
from dataclasses import dataclass
from typing import TYPE_CHECKING

from devserver.errors import StartFailed

from ..errors import SetupError

if TYPE_CHECKING:
    from ..backends.endpoint import Backend, ServerEndpoint

ABANDON_SECONDS = 5.0
RELEASE_SECONDS = 15.0


@dataclass
class _Used:
    """A server of this process, and how many tests or fixtures have a namespace on it."""

    endpoint: ServerEndpoint
    users: int = 0


class SharedServers:
    """Starts servers in the background; a server whose `usage` is full is replaced, and released by its last user.

    Args:
        backend: Returns the backend, which starts the servers.
        on_release: Called before a server is released.
    """

    def __init__(self, backend: Callable[[], Backend], on_release: Callable[[ServerEndpoint], None]) -> None:
        self._backend = backend
        self._on_release = on_release
        self._lock = threading.RLock()
        self._current: Future[ServerEndpoint] | None = None
        self._successor: Future[ServerEndpoint] | None = None
        self._used: list[_Used] = []
        self._releasing: list[threading.Thread] = []
        self._pinned = False
        self._retried = False

    def begin(self) -> None:
        """Start the current server without waiting for it; does nothing if it is started."""
        with self._lock:
            if self._current is None:
                self._current = self._start(None)

    def take(self) -> ServerEndpoint:
        """The current server, once it is ready, for one more namespace; call `leave` when that is done.

        Raises:
            devserver.DevServerError, SetupError: The server does not start. The first call after that tries again.
        """
        endpoint = self.current()
        while self._replace(endpoint):
            endpoint = self.current()
        with self._lock:
            self._entry(endpoint).users += 1
            self._release_replaced(endpoint)
        if endpoint.usage is not None:
            endpoint.usage.add()
        return endpoint

    def pin(self) -> ServerEndpoint:
        """The current server, once it is ready; this process uses no other one from now on.

        Code outside the plugin may keep its address, and use it with the namespaces of later tests.
        """
        endpoint = self.current()
        self._pinned = True
        return endpoint

    def leave(self, endpoint: ServerEndpoint) -> None:
        """End one use of a server. A replaced one is released with the next test: this test may still be reported."""
        with self._lock:
            for used in self._used:
                if used.endpoint is endpoint:
                    used.users -= 1

    def share(self, endpoint: ServerEndpoint) -> None:
        """Use this endpoint from now on, instead of the current one, of which it is a variant."""
        with self._lock:
            self._current = Future()
            self._current.set_result(endpoint)

    def close(self) -> None:
        """Release all servers. A start that is not finished is abandoned."""
        with self._lock:
            starting = [future for future in (self._current, self._successor) if future is not None]
            left = [used.endpoint for used in self._used]
            self._current = self._successor = None
            self._used = []
        for future in starting:
            with contextlib.suppress(OutOfTime):
                if future.exception(ABANDON_SECONDS) is None and not any(future.result() is each for each in left):
                    left.append(future.result())
        for endpoint in left:
            self._release(endpoint)
        for thread in self._releasing:
            thread.join(RELEASE_SECONDS)

    def current(self) -> ServerEndpoint:
        """The current server, once it is ready, to look at what it can do; a new one if the last was killed."""
        while True:
            with self._lock:
                self.begin()
                starting = self._current
            assert starting is not None  # noqa: S101 - begin has set it
            try:
                endpoint = starting.result()
            except BaseException:
                self._retry(starting)
                raise
            self._retried = False
            if endpoint.alive():
                return endpoint
            with self._lock:
                if self._current is starting:
                    self._current = None
                    self._used = [used for used in self._used if used.endpoint is not endpoint]
                    self._release(endpoint)

    def _retry(self, failed: Future[ServerEndpoint]) -> None:
        """Let the next test start the server once more; a second failure is the error of all tests after it."""
        with self._lock:
            if self._current is failed and not self._retried:
                self._retried = True
                self._current = None

    def _replace(self, endpoint: ServerEndpoint) -> bool:
        """Start the successor of a server that is nearly full; whether the successor of a full one took over.

        No test waits for it: until it is ready, and if it does not start, the server is used further.
        """
        usage = endpoint.usage
        if usage is None or self._pinned or not usage.nearly_full:
            return False
        with self._lock:
            if self._successor is None:
                self._successor = self._start(endpoint)
            ready = self._successor.done() and self._successor.exception() is None
            if not (usage.full and ready):
                return False
            self._entry(endpoint)
            self._current, self._successor = self._successor, None
            return True

    def _entry(self, endpoint: ServerEndpoint) -> _Used:
        for used in self._used:
            if used.endpoint is endpoint:
                return used
        self._used.append(_Used(endpoint))
        return self._used[-1]

    def _release_replaced(self, current: ServerEndpoint) -> None:
        """Release the servers before the current one that no test uses; in the background, as their end takes time."""
        for used in [used for used in self._used if not used.users and used.endpoint is not current]:
            self._used.remove(used)
            thread = threading.Thread(
                target=self._release, args=(used.endpoint,), name="temporaltest-release", daemon=True
            )
            self._releasing.append(thread)
            thread.start()

    def _release(self, endpoint: ServerEndpoint) -> None:
        self._on_release(endpoint)
        self._backend().release(endpoint)

    def _start(self, after: ServerEndpoint | None) -> Future[ServerEndpoint]:
        """Start a server in a thread. It is a daemon, so that an interrupted run does not wait for a download.

        A server ends by itself when the process that started it dies.
        """
        starting: Future[ServerEndpoint] = Future()
        try:
            backend = self._backend()
        except SetupError as error:
            starting.set_exception(error)
            return starting

        def start() -> None:
            try:
                starting.set_result(_shared(backend, after))
            except BaseException as error:  # noqa: BLE001 - raised again in the tests that need the server
                starting.set_exception(error)

        threading.Thread(target=start, name="temporaltest-server", daemon=True).start()
        return starting


def _shared(backend: Backend, after: ServerEndpoint | None) -> ServerEndpoint:
    """The shared server. A start that failed is tried again at once: the machine may have been too busy."""
    try:
        return backend.shared(after=after)
    except StartFailed:
        return backend.shared(after=after)
