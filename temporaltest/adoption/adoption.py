"""The environments of a run that are adopted: each has a namespace on the shared server, until it is shut down."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from temporalio.client import Client

from ..errors import NotSupported, TemporalTestError
from ..isolation.context import CaseContext
from ..isolation.namespaces import NamespaceTaken
from ..requirements import Requirements
from . import arguments as read
from . import places
from .environments import AdoptedEnvironment, AdoptedTimeSkippingEnvironment, AdoptedWorkflowClocksEnvironment
from .summary import OwnServer

if TYPE_CHECKING:
    from pathlib import Path

    from temporalio.testing import WorkflowEnvironment

    from ..backends.endpoint import ServerEndpoint
    from ..isolation.allocation import Connect
    from ..isolation.session import Session


class Adoption:
    """Gives environments on the shared server.

    Args:
        session: Returns the session of this process.
        any_version: Whether an environment that pins another version of the server is adopted too.

    Attributes:
        in_session_fixture: Whether a fixture of the session is set up at this moment. Tests of a suite with one
            environment may know the name of its namespace, so it has the name that it asks for: on the shared server,
            or on a server for the session where that name is taken.
    """

    def __init__(self, session: Callable[[], Session], *, any_version: bool) -> None:
        self._session = session
        self._any_version = any_version
        self._lock = threading.Lock()
        self._open: list[CaseContext] = []
        self._closed: list[CaseContext] = []
        self._started: dict[int, int] = {}
        self._own_addresses: set[str] = set()
        self.in_session_fixture = False
        self.own_servers: list[OwnServer] = []

    @property
    def root(self) -> Path:
        """Pytest's rootdir."""
        return self._session().root

    def begin_test(self) -> None:
        """Start to note which environments the test uses."""
        with self._lock:
            self._closed.clear()
            self._started = {id(case): len(case.guard.started) for case in self._open}

    def used(self) -> list[CaseContext]:
        """The contexts of environments in which workflows were started since `begin_test`."""
        with self._lock:
            cases = [*self._closed, *self._open]
            return [case for case in cases if len(case.guard.started) > self._started.get(id(case), 0)]

    def knows(self, address: str) -> bool:
        """Whether a server is the shared one, or was started for this run."""
        return address in self._own_addresses or self._session().connected_to(address)

    def note_own(self, environment: WorkflowEnvironment) -> None:
        """Note the server of an environment that has one of its own."""
        self._own_addresses.add(environment.client.service_client.config.target_host)

    async def start(self, method: str, arguments: Mapping[str, Any], place: str) -> WorkflowEnvironment | None:
        """The environment that a call of the SDK's method asks for; None where it needs a server of its own."""
        name = arguments.get("namespace", "default") if self.in_session_fixture else None
        return await asyncio.to_thread(self._start, method, arguments, place, name)

    def _start(
        self, method: str, arguments: Mapping[str, Any], place: str, name: str | None
    ) -> WorkflowEnvironment | None:
        option = read.own_server_option(arguments)
        if option is not None:
            self._own(place, f"{method}({option}) has a server of its own")
            return None
        endpoint = self._session().servers.current()
        pinned = None if self._any_version else read.other_version(arguments, endpoint.managed)
        if pinned is not None:
            version = f" {endpoint.managed.version}" if endpoint.managed is not None else ""
            self._own(
                place,
                f"{method}({pinned}) has a server of its own, because the shared one is another{version}; "
                "--temporal-adopt=any-version adopts it too",
            )
            return None
        skips = method != "start_local"
        try:
            case = self._case(
                Requirements(
                    time_skipping=skips,
                    search_attributes=read.search_attributes(arguments.get("search_attributes", ())),
                    replay=False,
                    namespace=name if endpoint.ours else None,
                ),
                read.client_options(arguments),
            )
        except NotSupported as error:
            self._own(place, f"{method}() has a server of its own: {error}")
            return None
        if not skips:
            return AdoptedEnvironment(case, self._close)
        if method == "start_time_skipping":
            return AdoptedTimeSkippingEnvironment(case, self._close)
        from temporalio.testing import TimeSkippingConfig

        return AdoptedWorkflowClocksEnvironment(case, self._close, arguments.get("ts_config", TimeSkippingConfig()))

    def from_client(self, client: Client, place: str) -> WorkflowEnvironment | None:
        """An environment with the options of a client of another server; None where there can be none."""
        options = {**client.config()}
        service = client.service_client.config
        connection = {
            "retry_config": service.retry_config,
            "rpc_metadata": service.rpc_metadata,
            "identity": service.identity or None,
            "runtime": service.runtime,
        }
        kept = {name: value for name, value in options.items() if name in read.CLIENT_OPTIONS}
        try:
            case = self._case(Requirements(time_skipping=False, replay=False), {**connection, **kept})
            return AdoptedEnvironment(case, self._close)
        except NotSupported as error:
            self._own(place, f"from_client() keeps its server: {error}")
            return None

    def close(self) -> None:
        """Close the environments that were not shut down."""
        while self._open:
            self._close(self._open[0])

    def _case(self, requirements: Requirements, options: Mapping[str, Any]) -> CaseContext:
        session = self._session()
        if session.servers.current().namespace is not None:
            raise NotSupported("all tests share one namespace of the external server")
        connect = _connect(options)
        try:
            case = CaseContext(session, places.case_name(), requirements, {}, connect=connect)
        except NamespaceTaken:
            requirements = replace(requirements, private_server=True)
            case = CaseContext(session, places.case_name(), requirements, {}, connect=connect)
        with self._lock:
            self._open.append(case)
        return case

    def _close(self, case: CaseContext) -> None:
        with self._lock:
            if case not in self._open:
                return
            self._open.remove(case)
            self._closed.append(case)
        # What is wrong with the test's own workers, the SDK reports to the test.
        with contextlib.suppress(TemporalTestError):
            case.close()

    def _own(self, place: str, reason: str) -> None:
        self.own_servers.append(OwnServer(place, reason))


def _connect(options: Mapping[str, Any]) -> Connect:
    async def connect(endpoint: ServerEndpoint, namespace: str) -> Client:
        given = {name: value for name, value in options.items() if value is not None}
        return await Client.connect(endpoint.address, **{**given, **endpoint.connect, "namespace": namespace})

    return connect
