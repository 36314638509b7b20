"""The context of one test: its allocation on a server, its workers, its checks; closed at the end of the test."""

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
from ..workers.blocked_test import OtherCode
from ..workers.mistakes import Mistakes
from ..workers.result_check import ResultCheck
from ..workers.running_worker import SPARE_SECONDS, STOP_SECONDS
from ..workers.wait_guard import WaitGuard
from ..workers.workers import Workers
from . import cleanup
from .allocation import Allocation
from .cleanup import CreatedSchedules
from .post_test_checks import PostTestChecks

if TYPE_CHECKING:
    from ..backends.endpoint import ServerEndpoint
    from ..outage import Outage
    from ..requirements import Requirements
    from ..time.virtual_clocks import VirtualClocks
    from ..workers.awaited import Awaited
    from .allocation import Connect
    from .namespace_slot import NamespaceSlot
    from .session import Session

CLEAN_SECONDS = 5.0
LOOP_SECONDS = 1.0
LOST_SECONDS = 1.0


class CaseContext:
    """The context of one test, or of the tests that share a fixture of a wider scope.

    Call every method from outside the background loop.
    """

    def __init__(
        self,
        session: Session,
        name: str,
        requirements: Requirements,
        client_options: Mapping[str, Any],
        *,
        outages: bool = False,
        connect: Connect | None = None,
    ) -> None:
        """With `connect`, the client has the options of its user, and workers run as they were written."""
        self.session = session
        if requirements.time_skipping is None:
            requirements = replace(requirements, time_skipping=session.config.time_skipping)
        self.requirements = replace(requirements, private_server=True) if outages else requirements
        self.workers = Workers(as_written=connect is not None)
        self.guard = WaitGuard(session.config.timeout, self.trouble, self._describe_open, self._mistake)
        self.schedules = CreatedSchedules()
        self.allocation = Allocation(session, self.requirements, self.workers, self.guard)
        self.checks = PostTestChecks(session, self.requirements, self.allocation, self.workers, self.guard)
        interceptors = [self.guard, self.schedules]
        if connect is None:
            interceptors += [self.workers.ledger, ResultCheck()]
        self.allocation.allocate(name, client_options, interceptors, outages=outages, connect=connect)
        self._mistakes = Mistakes(self.unguarded, self.workers, skips=self.clocks is not None)
        # Workers have an event loop per test, so an activity that blocks or leaks does not affect another test.
        self.loop = BackgroundLoop()
        self._other_code = OtherCode()

    @property
    def endpoint(self) -> ServerEndpoint:
        """The server."""
        return self.allocation.endpoint

    @property
    def slot(self) -> NamespaceSlot:
        """The test's part of the server."""
        return self.allocation.slot

    @property
    def namespace(self) -> str:
        """The namespace of the test's workflows."""
        return self.allocation.slot.namespace

    @property
    def client(self) -> Client:
        """The test's client."""
        return self.allocation.client

    @property
    def clocks(self) -> VirtualClocks | None:
        """The virtual clocks of the test's workflows; None where it does not skip time."""
        return self.allocation.clocks

    @property
    def outage(self) -> Outage | None:
        """The outages of the test's server; None where it has none."""
        return self.allocation.outage

    def unguarded(self) -> Client:
        """A client of the namespace without the limit of waits."""
        return self.allocation.unguarded()

    def lost(self) -> ServerLost | None:
        """The error if the server ended while the test ran, unless an outage did that."""
        return self.allocation.lost()

    def end_outages(self) -> None:
        """End the outages of the test: the checks after it need a server that answers."""
        self.allocation.end_outages()

    def trouble(self) -> TemporalTestError | None:
        """Why waiting is useless: a worker died, or the server was killed."""
        # A worker may die of what happened to the server.
        return self.allocation.lost() or self.workers.trouble() or self.allocation.trouble()

    async def _describe_open(self) -> str:
        if self.outage is not None and self.outage.silent:
            return self.outage.describe()
        if not hasattr(self.allocation, "client"):
            return f"the Temporal server at {self.endpoint.address} does not answer"
        client = self.unguarded()
        clocks = [await diagnostics.clock_list(client)] if self.clocks is not None else []
        return "\n".join([await test_report.open_workflows(client, self.checks.codes), *clocks])

    async def _mistake(self, target: Awaited, until: float) -> str | None:
        """The mistake that keeps a workflow open, unless other code may still end that.

        In a shared namespace that may be anyone's, such as a deployed worker.
        """
        if self.outage is not None:
            return None
        found = await self._mistakes.find(target, until)
        if found is None:
            return None
        others = self.slot.shared or self._other_code.runs(own_workers=bool(self.workers.running))
        return None if found.heals and others else found.text

    def check_workers(self) -> None:
        """The part of `check` that can run after each of several tests.

        Raises:
            WorkerDied: A worker died, and no test has failed for it yet.
        """
        trouble = self.trouble()
        if trouble is not None:
            raise trouble

    def check(self) -> None:
        """Check a test that has passed, and replay everything that ran in it.

        Raises:
            BudgetExceeded: A workflow sent more than the test allows.
            ReplayFailed: A workflow is not deterministic.
            WorkerDied: A worker died, and no test has failed for it yet.
        """
        self.end_outages()
        self.check_workers()
        self.checks.check()

    def close(self) -> None:
        """Stop the workers, terminate open workflows, release the server.

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
                self.allocation.release()

    def _clean(self) -> None:
        """Leave nothing running on a shared server, unless the server is kept for inspection."""
        if self.requirements.private or self.session.config.keep or not self.endpoint.alive():
            return
        limit = self.session.config.scaled(CLEAN_SECONDS)
        with contextlib.suppress(OutOfTime):
            self.session.loop.run(self.schedules.delete(self.unguarded()), limit)
            self.session.loop.run(self.allocation.endpoints.remove(self.unguarded()), limit)
            self.session.loop.run(cleanup.terminate_workflows(self.unguarded(), self.guard.maybe_open()), limit)
            if not (self.endpoint.ours or self.slot.shared):
                self.session.loop.run(cleanup.delete_namespace(self.unguarded(), self.namespace), limit)

    def blocked(self, limit: float) -> WorkerStuck:
        """The error for an event loop of the workers that has not answered for `limit` seconds."""
        return self.workers.blocked(limit, self.loop.running_code())

    def _stop_workers(self) -> None:
        lost = self.lost() is not None
        config = self.session.config
        limit = LOST_SECONDS if lost else min(config.timeout, config.scaled(STOP_SECONDS))
        try:
            self.loop.run(self.workers.stop(limit), limit + SPARE_SECONDS)
        except (WorkerStuck, OutOfTime) as error:
            blocked = self.blocked(limit)
            with contextlib.suppress(WorkerStuck):
                self.workers.evict()
            self.loop.abandon()
            if lost or self.lost():  # the SDK hangs: it polls a server that is gone
                return
            if isinstance(error, OutOfTime):
                raise blocked from None
            raise
        except BaseException:
            self.loop.close(LOOP_SECONDS)
            with contextlib.suppress(WorkerStuck):
                self.workers.evict()
            raise
        self.loop.close(LOOP_SECONDS)
        self.workers.evict()
