"""What one test has: its place on a server, its workers, and what follows on it; put away at its end."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from concurrent.futures import TimeoutError as OutOfTime
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from temporalio.client import Client

from ..errors import ServerLost, TemporalTestError, WorkerStuck
from ..reports import test_report
from ..time import diagnostics
from ..workers.background_loop import BackgroundLoop
from ..workers.wait_guard import Guard
from ..workers.workers import SPARE_SECONDS, STOP_SECONDS, Workers
from ..workflows import namespaces
from ..workflows.schedule_cleanup import Made
from .post_test_checks import Aftermath
from .test_environment import Place

if TYPE_CHECKING:
    from ..backends import Endpoint
    from ..marker import Wishes
    from ..outage import Outage
    from ..time.time_skipping import Skipping
    from ..workflows.tenancy import Tenancy
    from .session import Session

CLEAN_SECONDS = 5.0
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
        self.workers = Workers()
        self.guard = Guard(session.config.timeout, self.trouble, self._describe_open)
        self.schedules = Made()
        self.aftermath = Aftermath(self)
        self.place = Place(session, self.wishes, self.workers, self.guard)
        self.place.arrive(name, client_options, [self.guard, self.workers.ledger, self.schedules], outages=outages)
        # Workers have a loop of the test's own: what an activity leaves behind or blocks is no other test's.
        self.loop = BackgroundLoop()

    @property
    def endpoint(self) -> Endpoint:
        """The server."""
        return self.place.endpoint

    @property
    def tenancy(self) -> Tenancy:
        """The test's part of the server."""
        return self.place.tenancy

    @property
    def namespace(self) -> str:
        """The namespace that the test's workflows are in."""
        return self.place.tenancy.namespace

    @property
    def client(self) -> Client:
        """The test's client."""
        return self.place.client

    @property
    def skipping(self) -> Skipping | None:
        """Where the test wishes it, the virtual clocks."""
        return self.place.skipping

    @property
    def outage(self) -> Outage | None:
        """Where the test has them, the outages of its server."""
        return self.place.outage

    def unguarded(self) -> Client:
        """A client of the namespace whose calls the guard does not bound."""
        return self.place.unguarded()

    def lost(self) -> ServerLost | None:
        """The error for the server's end while the test ran, unless that was an outage."""
        return self.place.lost()

    def end_outages(self) -> None:
        """Undo what the test has done to its server: what follows needs an answer."""
        self.place.end_outages()

    def trouble(self) -> TemporalTestError | None:
        """Why waiting is of no use: a worker has died, or the server has been killed."""
        return self.workers.trouble() or self.place.trouble()

    async def _describe_open(self) -> str:
        if self.outage is not None and self.outage.silent:
            return self.outage.describe()
        if not hasattr(self.place, "client"):
            return f"the Temporal server at {self.endpoint.address} does not answer"
        client = self.unguarded()
        clocks = [await diagnostics.standing(client)] if self.skipping is not None else []
        return "\n".join([await test_report.open_workflows(client, self.aftermath.codes), *clocks])

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
                self.place.release()

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
            with contextlib.suppress(WorkerStuck):
                self.workers.evict()
            self.loop.abandon()
            if lost or self.lost():  # it is the SDK that hangs, asking a server that is gone
                return
            if isinstance(error, OutOfTime):
                raise self.workers.blocked(limit) from None
            raise
        except BaseException:
            self.loop.close(LOOP_SECONDS)
            with contextlib.suppress(WorkerStuck):
                self.workers.evict()
            raise
        self.loop.close(LOOP_SECONDS)
        self.workers.evict()
