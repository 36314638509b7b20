"""Expectations of the ledger of side effects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, combinations

from ..errors import ScenarioInvalid
from ..ledger import Effect
from ..run.metrics import Duplicate, RunMetrics
from ..scenario.result import Judgement, RehearsalRun

MOST_NAMED = 6


@dataclass(frozen=True)
class EffectCount:
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


def exactly_once(name: str, *keys: str) -> EffectCount:
    """Each effect of that name is in the ledger once; with `keys`, those are there."""
    return EffectCount(name, keys, at_least=False)


def at_least_once(name: str, *keys: str) -> EffectCount:
    """Each effect of that name is in the ledger; twice is no harm. With `keys`, those are there."""
    return EffectCount(name, keys, at_least=True)


ASKED = "WorkflowExecutionCancelRequested"


@dataclass(frozen=True)
class Compensates:
    """The effect happened in time, for each key that is wanted."""

    name: str
    keys: Sequence[str]
    of: str | None

    def judge(self, run: RehearsalRun) -> Judgement:
        """By the ledger."""
        asked = next((mark.at for mark in run.marks if mark.lane == "event" and mark.what == ASKED), run.started)
        since = run.began.timestamp() + asked
        if self.of is not None:
            return self._pairs(run.effects)
        done = [effect.key for effect in run.effects if effect.name == self.name and effect.at >= since]
        missing = [f"{self.name} {key} did not happen" for key in self.keys if key not in done]
        if not done and not missing:
            missing = [f"{self.name} did not happen"]
        return self._judgement(missing, done)

    def _pairs(self, effects: Sequence[Effect]) -> Judgement:
        """Each key of what is compensated: after the last time that it was done, it was taken back."""
        last: dict[str, int] = {}
        back: dict[str, int] = {}
        for place, effect in enumerate(effects):
            if effect.name in (self.of, self.name):
                (last if effect.name == self.of else back)[effect.key] = place
        wanted = {key: place for key, place in last.items() if not self.keys or key in self.keys}
        if not wanted:
            return Judgement(str(self), "unknown", f"no effect {self.of!r} happened: there was nothing to take back")
        missing = [
            f"{self.of} {key}".rstrip() + f" was done, and no {self.name} came after it"
            for key, place in wanted.items()
            if back.get(key, -1) < place
        ]
        return self._judgement(missing, list(wanted))

    def _judgement(self, missing: Sequence[str], done: Sequence[str]) -> Judgement:
        if missing:
            return Judgement(str(self), "fail", "; ".join(missing), missing)
        which = ", ".join(dict.fromkeys(key for key in done if key))
        return Judgement(str(self), "pass", f"{self.name} happened" + (f" for {which}" if which else ""))

    def __str__(self) -> str:
        which = f" ({', '.join(self.keys)})" if self.keys else ""
        return f"{self.name}{which} takes back " + (f"each {self.of}" if self.of else "what was done")


def compensates(name: str, *keys: str, of: str | None = None) -> Compensates:
    """When the runbook is stopped, the effect of that name happens: `compensates("remove_node", of="add_node")`.

    With `of`, each effect of that name has, after the last time that it was done, one of `name` with the same key;
    `keys` narrow it. Without, the effect happens for each of `keys`, or at least once, after the runbook was cancelled
    (after its start where it never was).

    Raises:
        ScenarioInvalid: The effect would compensate itself.
    """
    if name == of:
        raise ScenarioInvalid(f"the effect {name!r} cannot take back itself")
    return Compensates(name, keys, of)


Item = str | tuple[str, str]


Where = dict[str, list[int]]  # key -> places in the ledger


@dataclass(frozen=True)
class EffectOrder:
    """What stands before another in the list happened before it, each time."""

    items: Sequence[Item]

    def judge(self, run: RehearsalRun) -> Judgement:
        """By the ledger, which is in the order in which it was written."""
        places = {item: _places(item, run) for item in self.items}
        missing = [f"{_effect_name(item)} never happened" for item, found in places.items() if not found]
        wrong = [text for a, b in combinations(self.items, 2) for text in _wrong(a, b, places[a], places[b], run)]
        if missing or wrong:
            return Judgement(str(self), "fail", "; ".join([*wrong, *missing]), [*wrong, *missing])
        count = sum(len(each) for found in places.values() for each in found.values())
        return Judgement(str(self), "pass", f"{count} effects are in that order")

    def __str__(self) -> str:
        return f"order: {' before '.join(map(_effect_name, self.items))}"


def _places(item: Item, run: RehearsalRun) -> Where:
    name, key = (item, None) if isinstance(item, str) else item
    found: Where = {}
    for place, effect in enumerate(run.effects):
        if effect.name == name and key in (None, effect.key):
            found.setdefault(effect.key, []).append(place)
    return found


def _wrong(a: Item, b: Item, first: Where, then: Where, run: RehearsalRun) -> list[str]:
    """Each pair that is in the wrong order: of the same key where both are names that share keys, else of any."""
    shared = first.keys() & then.keys() if isinstance(a, str) and isinstance(b, str) else set()
    if shared:
        pairs = [(first[key], then[key]) for key in sorted(shared)]
    else:
        pairs = [([*chain(*first.values())], [*chain(*then.values())])] if first and then else []
    wrong = [(max(before), min(after)) for before, after in pairs if max(before) > min(after)]
    return [f"{_at(after, run)} comes before {_at(before, run)}" for before, after in wrong]


def _at(place: int, run: RehearsalRun) -> str:
    effect = run.effects[place]
    return f"{_effect_name((effect.name, effect.key))} at {effect.at - run.began.timestamp():.3f} s"


def _effect_name(item: Item) -> str:
    return item if isinstance(item, str) else " ".join(item).rstrip()


def order(*effects: Item) -> EffectOrder:
    """Effects happened in that order, each given as a name or as (name, key): `order("drain", "stop", "start")`.

    Between two names that have keys in common the order holds for each key: each node is drained before it is stopped,
    whatever the other nodes do. Otherwise all of the one come before all of the other. An effect that is done again
    later, after its successor, is out of order. Each must have happened.

    Raises:
        ScenarioInvalid: Fewer than two are given, one is given twice, or is no name.
    """
    for each in effects:
        if not isinstance(each, str) and not (isinstance(each, tuple) and len(each) == 2 and _all_text(each)):
            raise ScenarioInvalid(f"order takes names of effects and (name, key), not {each!r}")
    if len(effects) < 2 or len(set(effects)) < len(effects):
        raise ScenarioInvalid(f"an order is of two effects or more, each given once, not of {list(effects)}")
    return EffectOrder(effects)


def _all_text(values: tuple[object, ...]) -> bool:
    return all(isinstance(each, str) for each in values)
