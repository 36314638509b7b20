"""The expectation that a log does not contain a pattern."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from ..errors import ScenarioInvalid
from ..scenario.result import Judgement, RehearsalRun

Where = Literal["server", "worker"]
MOST = 2000  # lines of each log that a run keeps


@dataclass(frozen=True)
class LogFreeOf:
    """No line of a log matches the pattern."""

    pattern: str
    where: Where

    def judge(self, run: RehearsalRun) -> Judgement:
        """Judge by the lines written while the runbook ran."""
        lines = run.server_log if self.where == "server" else run.worker_log
        found = [line for line in lines if re.search(self.pattern, line)]
        if found:
            return Judgement(str(self), "fail", f"{len(found)} lines match, the first: {found[0][:200]}", found)
        if len(lines) >= MOST:
            return Judgement(str(self), "unknown", f"the log is longer than the {MOST} lines that were kept")
        return Judgement(str(self), "pass", f"{len(lines)} lines, none matches")

    def __str__(self) -> str:
        return f"the {self.where}'s log is free of /{self.pattern}/"


def log_free_of(pattern: str, where: Where = "server") -> LogFreeOf:
    """No line of the server's log (or the worker's, with everything the runbook prints and logs) matches the pattern.

    Raises:
        ScenarioInvalid: Not a regular expression, or there is no such log.
    """
    if where not in ("server", "worker"):
        raise ScenarioInvalid(f"log_free_of(where=...) takes 'server' or 'worker', not {where!r}")
    try:
        re.compile(pattern)
    except re.error as error:
        raise ScenarioInvalid(f"log_free_of({pattern!r}): not a regular expression: {error}") from None
    return LogFreeOf(pattern, where)
