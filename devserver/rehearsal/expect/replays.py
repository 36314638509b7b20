"""The expectation that histories replay against the runbook's code."""

from __future__ import annotations

from dataclasses import dataclass

from ..scenario.result import Judgement, RehearsalRun


@dataclass(frozen=True)
class Replays:
    """The code agrees with the histories that it has made."""

    def judge(self, run: RehearsalRun) -> Judgement:
        """By replaying every run of the workflow."""
        from ._replaying import replay

        if not run.histories:
            return Judgement(str(self), "unknown", "the server has no history of it")
        failures = replay(run)
        if failures:
            return Judgement(str(self), "fail", failures[0].splitlines()[0], failures)
        count = sum(len(history.events) for history in run.histories)
        return Judgement(str(self), "pass", f"{count} events replay")

    def __str__(self) -> str:
        return "replays clean"


def replays() -> Replays:
    """The histories replay against the runbook's code without non-determinism."""
    return Replays()
