"""How rehearsals of one scenario change from run to run: which expectation got worse, and since when."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from .archive import PastRehearsal
from .report.text import SEVERITY

T = TypeVar("T")

MOST_RUNS = 30


@dataclass(frozen=True)
class ExpectationTrend:
    """One expectation over the runs of a scenario.

    Attributes:
        name: The expectation.
        verdicts: Its verdict in each run, the oldest first; None where it was not judged.
        evidence: That of its last verdict.
        worse_since: The first run of those in which it is worse than before; None if it is not.
        better_since: The first run of those in which it is better than before; None if it is not.
    """

    name: str
    verdicts: Sequence[str | None]
    evidence: str
    worse_since: PastRehearsal | None
    better_since: PastRehearsal | None


@dataclass(frozen=True)
class ScenarioTrend:
    """The runs of one scenario, the oldest first, and its expectations: those that got worse first."""

    runs: Sequence[PastRehearsal]
    expectations: Sequence[ExpectationTrend]

    @property
    def last(self) -> PastRehearsal:
        """The last run."""
        return self.runs[-1]

    @property
    def worse(self) -> list[ExpectationTrend]:
        """The expectations that got worse."""
        return [item for item in self.expectations if item.worse_since is not None]


def trends(past: Iterable[PastRehearsal], most: int = MOST_RUNS) -> list[ScenarioTrend]:
    """The trend of each scenario, over its last `most` runs; that of the newest run first."""
    by_scenario: dict[tuple[str, str, str], list[PastRehearsal]] = {}
    for run in past:
        by_scenario.setdefault(run.scenario, []).append(run)
    found = [_trend(runs[-most:]) for runs in by_scenario.values()]
    return sorted(found, key=lambda trend: trend.last.run, reverse=True)


def _trend(runs: Sequence[PastRehearsal]) -> ScenarioTrend:
    names = runs[-1].expectations  # one that was removed from the scenario has no trend
    items = [_expectation(name, runs) for name in names]
    items.sort(key=lambda item: (item.worse_since is None, -SEVERITY.get(item.verdicts[-1] or "pass", 0)))
    return ScenarioTrend(runs, items)


def _expectation(name: str, runs: Sequence[PastRehearsal]) -> ExpectationTrend:
    verdicts = [(run.expectations.get(name) or (None, ""))[0] for run in runs]
    judged = [(verdict, run) for verdict, run in zip(verdicts, runs, strict=True) if verdict is not None]
    last = judged[-1][0]
    since = streak_start(judged, lambda item: item[0] == last)
    change = SEVERITY.get(last, 1) - SEVERITY.get(judged[since - 1][0], 1) if since > 0 else 0
    first, evidence = judged[since][1], runs[-1].expectations[name][1]
    return ExpectationTrend(name, verdicts, evidence, first if change > 0 else None, first if change < 0 else None)


def streak_start(runs: Sequence[T], holds: Callable[[T], bool]) -> int:
    """The position of the first of the last runs for which it holds without a break; it holds for the last one."""
    start = len(runs) - 1
    while start > 0 and holds(runs[start - 1]):
        start -= 1
    return start
