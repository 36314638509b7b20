"""Expectations of the ledger of side effects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..ledger import Effect
from ..result import Finding, Run

MOST_NAMED = 6


@dataclass(frozen=True)
class Times:
    """Each effect of that name happened once, or at least once; which there must be, the keys or the baseline say."""

    name: str
    keys: Sequence[str]
    at_least: bool

    def judge(self, run: Run) -> Finding:
        """By the ledger."""
        found: dict[str, list[Effect]] = {key: [] for key in self.keys}
        for effect in run.effects:
            if effect.name == self.name:
                found.setdefault(effect.key, []).append(effect)
        if not found:
            return Finding(str(self), "fail", f"no effect {self.name!r} is in the ledger")
        missing = [f"{self.name} {key} never happened".replace("  ", " ") for key, each in found.items() if not each]
        twice = [] if self.at_least else [_twice(each, run) for each in found.values() if len(each) > 1]
        if missing or twice:
            return Finding(str(self), "fail", "; ".join([*twice, *missing]), [*twice, *missing])
        return Finding(
            str(self), "pass", f"{len(found)} effects, each {'at least' if self.at_least else 'exactly'} once"
        )

    def __str__(self) -> str:
        more = [f"and {len(self.keys) - MOST_NAMED} more"] if len(self.keys) > MOST_NAMED else []
        which = f" ({', '.join([*self.keys[:MOST_NAMED], *more])})" if self.keys else ""
        return f"{self.name}{which} {'at least' if self.at_least else 'exactly'} once"


def _twice(effects: Sequence[Effect], run: Run) -> str:
    first = effects[0]
    began = run.began.timestamp()
    when = ", ".join(f"{each.at - began:.3f} s (attempt {each.attempt})" for each in effects)
    by = f" by {first.activity}" if first.activity else ""
    return f"{first.name} {first.key} happened {len(effects)} times{by}: at {when}".replace("  ", " ")


def exactly_once(name: str, *keys: str) -> Times:
    """Each effect of that name is in the ledger once; with `keys`, those are there."""
    return Times(name, keys, at_least=False)


def at_least_once(name: str, *keys: str) -> Times:
    """Each effect of that name is in the ledger; twice is no harm. With `keys`, those are there."""
    return Times(name, keys, at_least=True)
