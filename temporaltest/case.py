"""What one test has: a server, a namespace, a client, its workers; made at its start and put away at its end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from temporalio.client import Client

from . import clock_report, failure_report, namespaces, replay
from .backends import NAMESPACES, TIME_SKIPPING, Endpoint
from .errors import NotSupported, TemporalTestError
from .guard import Guard
from .workers import Workers

if TYPE_CHECKING:
    from .marker import Wishes
    from .session import Session
    from .skipping import Skipping

SETUP_SECONDS = 20.0
REPORT_SECONDS = 10.0
SPARE_SECONDS = 5.0


class Case:
    """See the module. Every method is called from outside the background loop."""

    def __init__(self, session: Session, name: str, wishes: Wishes, client_options: Mapping[str, Any]) -> None:
        self.session = session
        self.loop = session.loop
        self.wishes = wishes
        self.workers = Workers()
        self.endpoint: Endpoint = session.backend.private(wishes) if wishes.private else session.endpoint()
        self.skipping: Skipping | None = None
        try:
            self._require()
            base = session.client(self.endpoint)
            self.namespace = self._make_namespace(base, name)
            self.client = self._make_client(base, client_options)
        except BaseException:
            self._release()
            raise

    def _require(self) -> None:
        if self.wishes.time_skipping and TIME_SKIPPING not in self.endpoint.can:
            raise NotSupported(self.endpoint.why_not or "this server has no time skipping")

    def _make_namespace(self, base: Client, name: str) -> str:
        if self.endpoint.namespace is not None:
            return self.endpoint.namespace
        if NAMESPACES not in self.endpoint.can:
            raise NotSupported("this server lets us make no namespaces; name one with --temporal-namespace")
        namespace = namespaces.name_for(name)
        making = namespaces.create(
            base,
            namespace,
            retention=self.wishes.retention,
            search_attributes=self.wishes.search_attributes,
        )
        self.loop.run(making, SETUP_SECONDS)
        return namespace

    def _make_client(self, base: Client, client_options: Mapping[str, Any]) -> Client:
        self.guard = Guard(self.session.config.timeout, self.trouble, self._describe_open)
        options: dict[str, Any] = {**base.config(), "namespace": self.namespace, **client_options}
        options["interceptors"] = [self.guard, *options["interceptors"]]
        client = Client(**options)
        if not self.wishes.time_skipping:
            return client
        from .skipping import Skipping

        self.skipping = Skipping(client)
        self.session.loop.run(self.skipping.require(), SETUP_SECONDS)
        return self.skipping.client

    def trouble(self) -> TemporalTestError | None:
        """Why waiting is of no use: a worker has died, or the server has been killed."""
        trouble = self.workers.trouble()
        managed = self.endpoint.managed
        if trouble is None and managed is not None and not self.wishes.private and not managed.running:
            return TemporalTestError(f"the Temporal server at {self.endpoint.address} was killed while the test ran")
        return trouble

    async def _describe_open(self) -> str:
        client = self._unguarded()
        clocks = [await clock_report.standing(client)] if self.skipping is not None else []
        return "\n".join([await failure_report.open_workflows(client), *clocks])

    def _unguarded(self) -> Client:
        """A client of the namespace whose calls the guard does not bound."""
        options = self.session.client(self.endpoint).config()
        options["namespace"] = self.namespace
        options["data_converter"] = self.client.config()["data_converter"]
        return Client(**options)

    def report(self) -> str:
        """The section that a failed test's report gets."""
        ui = self.endpoint.ui_url if self.session.config.keep else None
        return self.loop.run(failure_report.everything(self._unguarded(), ui), REPORT_SECONDS)

    def check(self) -> None:
        """What a test that has passed must still stand: a replay of everything that ran.

        Raises:
            ReplayFailed: A workflow is not deterministic.
            WorkerDied: A worker had died unnoticed.
        """
        trouble = self.trouble()
        if trouble is not None:
            raise trouble
        if self.session.config.replay and self.wishes.replay and self.workers.running:
            checking = replay.check(self._unguarded(), self.workers.running, self.guard.started)
            self.loop.run(checking, self.session.config.timeout)

    def close(self) -> None:
        """Stop the workers, end what is open, give up a private server.

        Raises:
            WorkerStuck: An activity does not end.
        """
        limit = self.session.config.timeout
        try:
            self.loop.run(self.workers.stop(min(limit, 10.0)), limit + SPARE_SECONDS)
        finally:
            try:
                if not self.wishes.private and self.endpoint.namespace is None:
                    self.loop.run(namespaces.clean(self._unguarded()), SETUP_SECONDS)
            finally:
                self._release()

    def _release(self) -> None:
        if self.wishes.private:
            self.session.release(self.endpoint)
