"""What follows on a test: everything that ran in it is replayed, recorded if asked, and reported if it failed."""

from __future__ import annotations

from concurrent.futures import TimeoutError as OutOfTime
from typing import TYPE_CHECKING

from .. import payload_budget
from ..errors import ReplayFailed, ServerLost
from ..replay import recording, replay
from ..reports import test_report
from ..workflows import executions
from ..workflows.start import TASK_QUEUE

if TYPE_CHECKING:
    from pathlib import Path

    from ..reports.test_report import Report
    from ..workflows.executions import Ran
    from .test_context import Case

REPORT_SECONDS = 10.0


class Aftermath:
    """Of one test; `spoilt` where it failed, or one of those that share it. Called from outside the event loops."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._codes: list[replay.Code] = []
        self.ran: list[Ran] = []
        self.recorded: list[tuple[str, str]] = []
        self.spoilt = False

    @property
    def codes(self) -> list[replay.Code]:
        """The code of every worker that ran in the test; known also when they are gone, if asked for before."""
        running = self._case.workers.running
        if len(running) > len(self._codes):
            self._codes = [replay.code_of(each.worker) for each in running]
        return self._codes

    def check(self) -> None:
        """Measure and replay what ran in the test.

        Raises:
            BudgetExceeded: A workflow sent more than the test allows.
            ReplayFailed: A workflow is not deterministic.
        """
        case, config = self._case, self._case.session.config
        budget = case.wishes.budget
        replays = bool(self.codes) and case.wishes.replay and (config.replay or config.record is not None)
        if not (replays or budget):
            return
        try:
            finding = executions.find(case.unguarded(), case.guard.started)
            ran = case.session.loop.run(finding, config.timeout)
            if budget:
                payload_budget.require(budget, ran)
            if not replays:
                return
            self.ran = ran
            if config.replay:
                replaying = replay.replay_all(self.codes, self.ran)
                replay.require(case.session.loop.run(replaying, config.timeout))
        except OutOfTime:
            raise ReplayFailed(
                f"replaying what the test ran took more than {config.timeout:g} s; "
                "give it longer with --temporal-timeout, or no replay with @pytest.mark.temporal(replay=False)"
            ) from None

    def record(self, test: str, root: Path, scope: str | None = None) -> None:
        """Make recordings of what `check` has replayed; `recorded` has them then, as names of files and texts.

        `test` may be a fixture of a scope. What a failed test did is no example, so nothing of it is recorded.
        """
        case, config = self._case, self._case.session.config
        if config.record is None or self.spoilt or not self.ran:
            return
        tenancy = case.tenancy
        words = {case.namespace: "namespace"}
        if tenancy.shared:
            words |= {tenancy.id_prefix: "", tenancy.task_queue: TASK_QUEUE}
        source = recording.Source(test, root, tenancy.id_prefix, words, scope)
        recording_ = recording.record(source, self.ran, self.codes, scrub=config.record_scrub)
        self.recorded = case.session.loop.run(recording_, config.timeout)

    def report(self) -> Report:
        """What the test's workflows did, for a person to read."""
        case = self._case
        if case.outage is not None and case.outage.silent:
            raise ServerLost("an outage of it is on")
        ui = case.endpoint.ui_url if case.session.config.keep else None
        gathering = test_report.gather(case.unguarded(), ui, self.codes)
        return case.session.loop.run(gathering, REPORT_SECONDS)
