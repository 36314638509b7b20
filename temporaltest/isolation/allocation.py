"""What a test is given at its start and releases at its end: a server, a part of it, and a client."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from concurrent.futures import TimeoutError as OutOfTime
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from temporalio.api.workflowservice.v1 import GetSystemInfoRequest
from temporalio.client import Client
from temporalio.client import Interceptor as ClientInterceptor
from temporalio.service import RPCError

from ..backends.endpoint import NAMESPACES, OUTAGES, TIME_SKIPPING, ServerEndpoint
from ..errors import NotSupported, ServerLost, SetupError, TemporalTestError, WaitTimeout
from ..workers.bounded_polls import BoundedPolls
from . import namespaces
from .namespace_slot import NamespaceSlot, reserve
from .nexus_endpoints import NexusEndpoints
from .worker_plugin import WorkerTracking

if TYPE_CHECKING:
    from ..outage import Outage
    from ..requirements import Requirements
    from ..time.virtual_clocks import VirtualClocks
    from ..workers.wait_guard import WaitGuard
    from ..workers.workers import Workers
    from .session import Session

T = TypeVar("T")

# Connects to a server with a user's own options; the second argument is the namespace.
Connect = Callable[[ServerEndpoint, str], Coroutine[Any, Any, Client]]

SETUP_SECONDS = 20.0
SPARE_SECONDS = 5.0


class Allocation:
    """The server, namespace and client of one test; `endpoint`, `slot` and `client` are set by `allocate`.

    Call every method from outside the event loops.
    """

    endpoint: ServerEndpoint
    slot: NamespaceSlot
    client: Client

    def __init__(self, session: Session, requirements: Requirements, workers: Workers, guard: WaitGuard) -> None:
        self._session = session
        self._requirements = requirements
        self._workers = workers
        self._guard = guard
        self._outages_continue = False
        self._lost: ServerLost | None = None
        self._shared: ServerEndpoint | None = None
        self.endpoints = NexusEndpoints(unique=not requirements.private)
        self.outage: Outage | None = None
        self.clocks: VirtualClocks | None = None

    def allocate(
        self,
        name: str,
        client_options: Mapping[str, Any],
        interceptors: list[ClientInterceptor],
        *,
        outages: bool,
        connect: Connect | None = None,
    ) -> None:
        """Get a server and reserve a namespace; if the shared server is killed meanwhile, on the next one.

        The client shares the connection of the session, unless `connect` makes one.
        """
        required, session = self._requirements, self._session
        while True:
            if required.private:
                self.endpoint = session.backend.private(required, outages=outages)
            else:
                self.endpoint = session.servers.take()
                self._shared = self.endpoint
            try:
                if required.time_skipping:
                    self.endpoint.require(TIME_SKIPPING)
                if outages:
                    self.endpoint = self._expose(self.endpoint)
                base = session.client(self.endpoint)
                self.slot = self._reserve(base, name)
                if connect is not None:
                    base = session.loop.run(connect(self.endpoint, self.slot.namespace), SETUP_SECONDS)
                self.client = self._make_client(base, client_options, interceptors)
                return
            except BaseException:
                self.release()
                if self.endpoint.alive() or required.private:
                    raise

    def _expose(self, endpoint: ServerEndpoint) -> ServerEndpoint:
        """The same server behind a proxy, with outages."""
        endpoint.require(OUTAGES)
        from ..outage import Outage

        assert endpoint.managed is not None  # noqa: S101 - a server that supports outages has a handle
        self.outage = Outage(endpoint.managed, self._make_namespace_again, self._workers)
        return replace(endpoint, address=self.outage.address, alive=self.outage.alive)

    def _make_namespace_again(self, address: str) -> None:
        async def make() -> None:
            base = await Client.connect(address, **self.endpoint.connect)
            await namespaces.create(
                base,
                self.slot.namespace,
                retention=self._requirements.retention,
                search_attributes=self._requirements.search_attributes,
                limit=self._limit,
            )

        self._session.loop.run(make(), self._limit + SPARE_SECONDS)

    @property
    def _limit(self) -> float:
        """The limit of each step of the setup, in seconds."""
        return self._session.config.at_least(SETUP_SECONDS)

    def _reserve(self, base: Client, name: str) -> NamespaceSlot:
        """A namespace; a shared one if the server does not allow new ones."""
        try:
            return self._set_up(reserve(base, self.endpoint, name, self._requirements, self._limit))
        except namespaces.NamespaceNotAllowed as refused:
            spare = self.endpoint.fallback_namespace
            if spare is None:
                raise NotSupported(
                    f"no {NAMESPACES} here: {refused}; use --temporal-namespace with one for all tests"
                ) from None
            self.endpoint = self._session.share(self.endpoint, spare)
            return self._set_up(reserve(base, self.endpoint, name, self._requirements, self._limit))

    def _set_up(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of work in the session's loop, unless the server is killed meanwhile or does not answer."""
        until = time.monotonic() + self._limit + SPARE_SECONDS
        try:
            waiting = self._guard.wait(work, "the test's namespace", until=until)
            return self._session.loop.run(waiting, self._limit + 2 * SPARE_SECONDS)
        except (OutOfTime, RPCError, WaitTimeout) as error:
            full = self.endpoint.full()
            if full is not None:
                raise SetupError(full) from None
            if not isinstance(error, OutOfTime):
                raise
            raise SetupError(
                f"the Temporal server at {self.endpoint.address} does not answer within {self._limit:g} s"
            ) from None

    def _make_client(
        self, base: Client, client_options: Mapping[str, Any], interceptors: list[ClientInterceptor]
    ) -> Client:
        options: dict[str, Any] = {**base.config(), "namespace": self.slot.namespace, **client_options}
        options["interceptors"] = [*interceptors, self.endpoints, *options["interceptors"]]
        options["plugins"] = [*options["plugins"], WorkerTracking(self._workers)]
        options["service_client"] = self.endpoints.service(BoundedPolls(options["service_client"], self._guard))
        client = Client(**options)
        if not self._requirements.time_skipping:
            return client
        from ..time.stepping import Stepping
        from ..time.virtual_clocks import VirtualClocks

        self.clocks = VirtualClocks(client)
        self._guard.advance = Stepping(self.clocks).run
        self._session.loop.run(self.clocks.require(), self._limit)
        return self.clocks.client

    def unguarded(self) -> Client:
        """A client of the namespace without the limit of waits."""
        options = self.slot.confined({**self._session.client(self.endpoint).config()})
        options["data_converter"] = self.client.config()["data_converter"]
        return Client(**options)

    def trouble(self) -> TemporalTestError | None:
        """Why waiting for the server is useless; None if it is not."""
        trouble = None if self.outage is None else self.outage.trouble(self._session.config.timeout)
        return trouble or self.lost()

    def lost(self) -> ServerLost | None:
        """The error if the server ended while the test ran, unless an outage did that."""
        if self.endpoint.alive():
            return None
        if not self.endpoint.ours:
            return ServerLost(
                f"the Temporal server at {self.endpoint.address} no longer accepts connections: "
                "check that it is running"
            )
        self._lost = self._lost or ServerLost(
            f"the Temporal server at {self.endpoint.address} {self.endpoint.how_ended()} while the test ran"
        )
        return self._lost

    @contextlib.contextmanager
    def outages_last(self, *, wider: bool) -> Iterator[None]:
        """A block at whose end outages are undone; if it is `wider` than a test, not at the end of each test."""
        if self.outage is not None:
            self.outage.again()
        before, self._outages_continue = self._outages_continue, self._outages_continue or wider
        try:
            yield
        finally:
            self._outages_continue = before
            self.end_outages()

    def end_outages(self) -> None:
        """Undo the outages that end with the test: the checks after it need a server that answers."""
        if self.outage is None or self.outage.over or self._outages_continue:
            return
        self.outage.undo()
        if self.outage.log and self.outage.answers:
            with contextlib.suppress(OutOfTime, RPCError):
                self._session.loop.run(self._reconnect(), self._limit)

    async def _reconnect(self) -> None:
        """Make the first call on a connection that an outage broke, because that call fails."""
        await self.unguarded().workflow_service.get_system_info(GetSystemInfoRequest(), retry=True)

    def release(self) -> None:
        """Close the proxy, release a private server, leave a shared one."""
        if self.outage is not None:
            self.outage.close()
        if self._requirements.private:
            self._session.release(self.endpoint)
        elif self._shared is not None:
            shared, self._shared = self._shared, None
            self._session.servers.leave(shared)
