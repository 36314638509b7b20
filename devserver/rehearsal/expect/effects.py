"""Expectations of the ledger of side effects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..run.metrics import Duplicate, RunMetrics
from ..scenario.result import Judgement, RehearsalRun

MOST_NAMED = 6


@dataclass(frozen=True)
class Times:
    """Each effect of that name happened once, or at least once; the keys say which there must be."""

    name: str
    keys: Sequence[str]
    at_least: bool

    def judge(self, run: RehearsalRun) -> Judgement:
        """By the ledger."""
        found = dict.fromkeys(effect.key for effect in run.effects if effect.name == self.name)
        if not found and not self.keys:
            return Judgement(str(self), "fail", f"no effect {self.name!r} is in the ledger")
        missing = [f"{self.name} {key} never happened" for key in self.keys if key not in found]
        again = [each for each in RunMetrics.of(run).duplicates if each.name == self.name]
        twice = [] if self.at_least else [_twice(each) for each in again]
        if missing or twice:
            return Judgement(str(self), "fail", "; ".join([*twice, *missing]), [*twice, *missing])
        return Judgement(
            str(self), "pass", f"{len(found)} effects, each {'at least' if self.at_least else 'exactly'} once"
        )

    def __str__(self) -> str:
        more = [f"and {len(self.keys) - MOST_NAMED} more"] if len(self.keys) > MOST_NAMED else []
        which = f" ({', '.join([*self.keys[:MOST_NAMED], *more])})" if self.keys else ""
        return f"{self.name}{which} {'at least' if self.at_least else 'exactly'} once"


def _twice(effect: Duplicate) -> str:
    by = f" by {effect.activity}" if effect.activity else ""
    tries = ["" if attempt is None else f" (attempt {attempt})" for attempt in effect.attempts]
    when = ", ".join(f"{at:.3f} s{attempt}" for at, attempt in zip(effect.at, tries, strict=True))
    return f"{' '.join(filter(None, (effect.name, effect.key)))} happened {len(effect.at)} times{by}: at {when}"


def exactly_once(name: str, *keys: str) -> Times:
    """Each effect of that name is in the ledger once; with `keys`, those are there."""
    return Times(name, keys, at_least=False)


def at_least_once(name: str, *keys: str) -> Times:
    """Each effect of that name is in the ledger; twice is no harm. With `keys`, those are there."""
    return Times(name, keys, at_least=True)
