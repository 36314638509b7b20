"""Checks after a test: replay everything that ran, record it if asked, describe it if the test failed."""

from __future__ import annotations

from concurrent.futures import TimeoutError as OutOfTime
from typing import TYPE_CHECKING

from ..errors import ReplayFailed, ServerLost
from ..replay import recording
from ..replay.worker_code import WorkerCode, code_of, replay_all, require_replayed
from ..reports import test_report
from ..workflows import executions
from ..workflows.start import TASK_QUEUE
from . import payload_budget

if TYPE_CHECKING:
    from pathlib import Path

    from ..reports.test_report import WorkflowReport
    from ..requirements import Requirements
    from ..workers.wait_guard import WaitGuard
    from ..workers.workers import Workers
    from ..workflows.executions import RunHistory
    from .allocation import Allocation
    from .session import Session

REPORT_SECONDS = 10.0


class PostTestChecks:
    """The checks of one test, called from outside the event loops.

    `failed` is set where the test failed, or one of the tests that share its fixture. `recorded` has the recordings as
    (file name, text).
    """

    def __init__(
        self, session: Session, requirements: Requirements, allocation: Allocation, workers: Workers, guard: WaitGuard
    ) -> None:
        self._session = session
        self._requirements = requirements
        self._allocation = allocation
        self._workers = workers
        self._guard = guard
        self._codes: list[WorkerCode] = []
        self._runs: list[RunHistory] = []
        self._kept: WorkflowReport | None = None
        self.recorded: list[tuple[str, str]] = []
        self.failed = False

    @property
    def codes(self) -> list[WorkerCode]:
        """The code of every worker that ran in the test; still known after they stop, if read before."""
        running = self._workers.running
        if len(running) > len(self._codes):
            self._codes = [code_of(worker.worker) for worker in running]
        return self._codes

    def check(self) -> None:
        """Measure and replay what ran in the test.

        Raises:
            BudgetExceeded: A workflow sent more than the test allows.
            ReplayFailed: A workflow is not deterministic.
        """
        config, required = self._session.config, self._requirements
        replays = bool(self.codes) and required.replay and (config.replay or config.record is not None)
        if not (replays or required.budget):
            return
        try:
            finding = executions.find(self._allocation.unguarded(), self._guard.started)
            runs = self._session.loop.run(finding, config.timeout)
            if required.budget:
                payload_budget.require_within(required.budget, runs)
            if not replays:
                return
            self._runs = runs
            if config.replay:
                replaying = replay_all(self.codes, runs, same_code=True)
                require_replayed(self._session.loop.run(replaying, config.timeout))
        except OutOfTime:
            raise ReplayFailed(
                f"replaying the workflows of the test took more than {config.timeout:g} s; "
                "raise --temporal-timeout, or skip the replay with @pytest.mark.temporal(replay=False)"
            ) from None

    def record(self, test: str, root: Path, scope: str | None = None) -> None:
        """Record what `check` has replayed, into `recorded`. `test` is the id of a test, or of a fixture of `scope`.

        A failed test is no example, so nothing of it is recorded.
        """
        config, slot = self._session.config, self._allocation.slot
        if config.record is None or self.failed or not self._runs:
            return
        replacements = {slot.namespace: "namespace", **self._allocation.endpoints.replacements}
        if slot.shared:
            replacements |= {slot.id_prefix: "", slot.task_queue: TASK_QUEUE}
        source = recording.RecordedTest(test, root, slot.id_prefix, replacements, scope)
        recorded = recording.record(source, self._runs, self.codes, scrub=config.record_scrub)
        self.recorded = self._session.loop.run(recorded, config.timeout)

    def keep_report(self) -> None:
        """Make the report now, because the workflows are ended before pytest knows that the test has failed."""
        self._kept = self.report()

    def report(self) -> WorkflowReport:
        """What the test's workflows did, for a person to read."""
        if self._kept is not None:
            return self._kept
        allocation = self._allocation
        if allocation.outage is not None and allocation.outage.silent:
            raise ServerLost("an outage of the server is active")
        ui = allocation.endpoint.ui_url if self._session.config.keep else None
        gathering = test_report.gather(allocation.unguarded(), ui, self.codes)
        return self._session.loop.run(gathering, self._session.config.scaled(REPORT_SECONDS))
