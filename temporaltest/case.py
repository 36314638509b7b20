"""What one test has: a server, a namespace, a client, its workers; made at its start and put away at its end."""

from __future__ import annotations

import contextlib
from collections.abc import Coroutine, Mapping
from concurrent.futures import TimeoutError as OutOfTime
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from temporalio.api.workflowservice.v1 import GetSystemInfoRequest
from temporalio.client import Client
from temporalio.service import RPCError

from . import clock_report, failure_report, namespaces
from .adoption import Adoption
from .aftermath import Aftermath
from .backends import NAMESPACES, OUTAGES, TIME_SKIPPING, Endpoint
from .errors import NotSupported, ServerLost, TemporalTestError, WorkerStuck
from .guard import Guard
from .loop import BackgroundLoop
from .schedules_made import Made
from .tenancy import Tenancy, settle
from .workers import STOP_SECONDS, Workers

if TYPE_CHECKING:
    from .marker import Wishes
    from .outage import Outage
    from .session import Session
    from .skipping import Skipping

T = TypeVar("T")

SETUP_SECONDS = 20.0
CLEAN_SECONDS = 5.0
SPARE_SECONDS = 2.0
LOOP_SECONDS = 1.0
LOST_SECONDS = 1.0


class Case:
    """See the module. Every method is called from outside the background loop."""

    def __init__(
        self,
        session: Session,
        name: str,
        wishes: Wishes,
        client_options: Mapping[str, Any],
        *,
        outages: bool = False,
    ) -> None:
        self.session = session
        self.wishes = replace(wishes, private_server=True) if outages else wishes
        self.outage: Outage | None = None
        self._outages = outages
        self.workers = Workers()
        self.guard = Guard(session.config.timeout, self.trouble, self._describe_open)
        self.skipping: Skipping | None = None
        self.schedules = Made()
        self.aftermath = Aftermath(self)
        self._arrive(name, client_options)
        # Workers have a loop of the test's own: what an activity leaves behind or blocks is no other test's.
        self.loop = BackgroundLoop()

    @property
    def namespace(self) -> str:
        """The namespace that the test's workflows are in."""
        return self.tenancy.namespace

    def _arrive(self, name: str, client_options: Mapping[str, Any]) -> None:
        """Find a server and a place on it; where the shared server is killed meanwhile, on the next one."""
        wishes, session = self.wishes, self.session
        while True:
            self.endpoint: Endpoint = session.backend.private(wishes) if wishes.private else session.endpoint()
            try:
                if wishes.time_skipping:
                    self.endpoint.require(TIME_SKIPPING)
                if self._outages:
                    self.endpoint = self._expose(self.endpoint)
                base = session.client(self.endpoint)
                self.tenancy = self._settle(base, name)
                self.client = self._make_client(base, client_options)
                return
            except BaseException:
                self._release()
                if self.endpoint.alive() or wishes.private:
                    raise

    def _expose(self, endpoint: Endpoint) -> Endpoint:
        """The same server behind a proxy, with all that can go wrong with it."""
        endpoint.require(OUTAGES)
        from .outage import Outage

        assert endpoint.managed is not None  # noqa: S101 - outages need a handle, so who can has one
        self.outage = Outage(endpoint.managed, self._make_namespace_again, self.workers)
        return replace(endpoint, address=self.outage.address, alive=self.outage.alive)

    def _make_namespace_again(self, address: str) -> None:
        async def make() -> None:
            base = await Client.connect(address, **self.endpoint.connect)
            await namespaces.create(
                base,
                self.namespace,
                retention=self.wishes.retention,
                search_attributes=self.wishes.search_attributes,
            )

        self.session.loop.run(make(), SETUP_SECONDS)

    def _settle(self, base: Client, name: str) -> Tenancy:
        """A namespace; a shared one where the server makes us none."""
        try:
            return self._set_up(settle(base, self.endpoint, name, self.wishes))
        except namespaces.Refused as refused:
            spare = self.endpoint.spare_namespace
            if spare is None:
                raise NotSupported(
                    f"no {NAMESPACES} here: {refused}; name one for all tests with --temporal-namespace"
                ) from None
            self.endpoint = self.session.share(self.endpoint, spare)
            return self._set_up(settle(base, self.endpoint, name, self.wishes))

    def _set_up(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of work in the session's loop, unless the server is killed meanwhile."""
        return self.session.loop.run(self.guard.wait(work, "the test's namespace"), SETUP_SECONDS)

    def _make_client(self, base: Client, client_options: Mapping[str, Any]) -> Client:
        options: dict[str, Any] = {**base.config(), "namespace": self.namespace, **client_options}
        options["interceptors"] = [self.guard, self.workers.ledger, self.schedules, *options["interceptors"]]
        options["plugins"] = [*options["plugins"], Adoption(self.workers)]
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
        if trouble is None and self.outage is not None:
            trouble = self.outage.trouble(self.session.config.timeout)
        return trouble or self.lost()

    def lost(self) -> ServerLost | None:
        """The error for the server's end while the test ran, unless that was an outage."""
        if self.endpoint.alive():
            return None
        return ServerLost(f"the Temporal server at {self.endpoint.address} was killed while the test ran")

    async def _describe_open(self) -> str:
        if self.outage is not None and self.outage.silent:
            return self.outage.describe()
        client = self.unguarded()
        clocks = [await clock_report.standing(client)] if self.skipping is not None else []
        return "\n".join([await failure_report.open_workflows(client, self.aftermath.codes), *clocks])

    def unguarded(self) -> Client:
        """A client of the namespace whose calls the guard does not bound."""
        options = self.tenancy.confined({**self.session.client(self.endpoint).config()})
        options["data_converter"] = self.client.config()["data_converter"]
        return Client(**options)

    def end_outages(self) -> None:
        """Undo what the test has done to its server: what follows needs an answer."""
        if self.outage is None or self.outage.over:
            return
        self.outage.undo()
        if self.outage.log and self.outage.answers:
            with contextlib.suppress(OutOfTime, RPCError):
                self.session.loop.run(self._reconnect(), SETUP_SECONDS)

    async def _reconnect(self) -> None:
        """Have the first call on a connection that an outage broke, which fails, behind us."""
        await self.unguarded().workflow_service.get_system_info(GetSystemInfoRequest(), retry=True)

    def check_workers(self) -> None:
        """The part of `check` that a case can stand after each of several tests."""
        trouble = self.trouble()
        if trouble is not None:
            raise trouble

    def check(self) -> None:
        """What a test that has passed must still stand: a replay of everything that ran.

        Raises:
            ReplayFailed: A workflow is not deterministic.
            WorkerDied: A worker had died unnoticed.
        """
        self.end_outages()
        self.check_workers()
        self.aftermath.check()

    def close(self) -> None:
        """Stop the workers, end what is open, give up a private server.

        Raises:
            WorkerStuck: An activity does not end.
        """
        self.end_outages()
        try:
            self._stop_workers()
        finally:
            try:
                self._clean()
            finally:
                self._release()

    def _clean(self) -> None:
        """Leave nothing that runs on a server which others use, unless someone wants to look at it."""
        if self.wishes.private or self.session.config.keep or not self.endpoint.alive():
            return
        with contextlib.suppress(OutOfTime):
            self.session.loop.run(self.schedules.delete(self.unguarded()), CLEAN_SECONDS)
            self.session.loop.run(namespaces.clean(self.unguarded()), CLEAN_SECONDS)
            if not (self.endpoint.ours or self.tenancy.shared):
                self.session.loop.run(namespaces.delete(self.unguarded(), self.namespace), CLEAN_SECONDS)

    def _stop_workers(self) -> None:
        lost = self.lost() is not None
        limit = LOST_SECONDS if lost else min(self.session.config.timeout, STOP_SECONDS)
        try:
            self.loop.run(self.workers.stop(limit), limit + SPARE_SECONDS)
        except (WorkerStuck, OutOfTime) as error:
            self.loop.abandon()
            if lost:  # it is the SDK that hangs, asking a server that is gone
                return
            if isinstance(error, OutOfTime):
                raise self.workers.blocked(limit) from None
            raise
        except BaseException:
            self.loop.close(LOOP_SECONDS)
            raise
        self.loop.close(LOOP_SECONDS)

    def _release(self) -> None:
        if self.outage is not None:
            self.outage.close()
        if self.wishes.private:
            self.session.release(self.endpoint)
