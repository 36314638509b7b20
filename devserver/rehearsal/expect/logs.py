"""The expectation that a log is free of a pattern."""

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
    """No line of a log has it."""

    pattern: str
    where: Where

    def judge(self, run: RehearsalRun) -> Judgement:
        """By the lines that were written while the runbook ran."""
        lines = run.server_log if self.where == "server" else run.worker_log
        found = [line for line in lines if re.search(self.pattern, line)]
        if found:
            return Judgement(str(self), "fail", f"{len(found)} lines have it, the first: {found[0][:200]}", found)
        if len(lines) >= MOST:
            return Judgement(str(self), "unknown", f"the log is longer than the {MOST} lines that were kept of it")
        return Judgement(str(self), "pass", f"{len(lines)} lines, none has it")

    def __str__(self) -> str:
        return f"the {self.where}'s log is free of /{self.pattern}/"


def log_free_of(pattern: str, where: Where = "server") -> LogFreeOf:
    """No line that the server (or the worker, with all that the runbook prints and logs) wrote has the regular
    expression.

    Raises:
        ScenarioInvalid: It is no regular expression, or there is no such log.
    """
    if where not in ("server", "worker"):
        raise ScenarioInvalid(f"there is a log of the server and one of the worker, none of {where!r}")
    try:
        re.compile(pattern)
    except re.error as error:
        raise ScenarioInvalid(f"log_free_of({pattern!r}) is no regular expression: {error}") from None
    return LogFreeOf(pattern, where)
