"""The expectation that a log does not contain a pattern."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import ScenarioInvalid
from ..patient.member_logs import MOST_LINES
from ..scenario.patient_logs import groups_of, named_log, require_log
from ..scenario.plan import PlannedScenario
from ..scenario.result import Judgement, RehearsalRun

LOGS = ("server", "worker")
MOST = 2000  # lines of each log that a run keeps


@dataclass(frozen=True)
class LogFreeOf:
    """No line of a log matches the pattern."""

    pattern: str
    where: str

    def check(self, scenario: PlannedScenario) -> None:
        """Check that there is such a log."""
        require_log(self.where, scenario, LOGS)

    def judge(self, run: RehearsalRun) -> Judgement:
        """Judge by the lines written while the runbook ran."""
        lines = self._lines(run)
        if lines is None:
            return Judgement(str(self), "unknown", "the run has no log of the patient")
        found = [line for line in lines if re.search(self.pattern, line)]
        if found:
            return Judgement(str(self), "fail", f"{len(found)} lines match, the first: {found[0][:200]}", found)
        most = MOST if self.where in LOGS else MOST_LINES
        if len(lines) >= most:
            return Judgement(str(self), "unknown", f"the log is longer than the {most} lines that were kept")
        return Judgement(str(self), "pass", f"{len(lines)} lines, none matches")

    def _lines(self, run: RehearsalRun) -> Sequence[str] | None:
        """The lines of the log; those of all members of a role."""
        if self.where in LOGS:
            return run.server_log if self.where == "server" else run.worker_log
        logs = run.patient.logs if run.patient else {}
        members = [name for name in logs if self.where in (name, *groups_of(name))]
        return [line for name in members for line in logs[name]] if members else None

    def __str__(self) -> str:
        return f"the {self.where}'s log is free of /{self.pattern}/"


def log_free_of(pattern: str, where: str = "server") -> LogFreeOf:
    """No line of the server's log (or the worker's, with everything the runbook prints and logs) matches the pattern.

    `where` can also be a member, a role or the `database` of the patient.

    Raises:
        ScenarioInvalid: Not a regular expression, or there is no such log.
    """
    where = named_log(where, LOGS, "log_free_of")
    try:
        re.compile(pattern)
    except re.error as error:
        raise ScenarioInvalid(f"log_free_of({pattern!r}): not a regular expression: {error}") from None
    return LogFreeOf(pattern, where)
