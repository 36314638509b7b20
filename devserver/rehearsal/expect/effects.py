"""Expectations of side effects, judged by the ledger: how often, in which order, compensated."""

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
    """Each effect of this name happened exactly or at least once; the keys are required."""

    name: str
    keys: Sequence[str]
    at_least: bool

    def judge(self, run: RehearsalRun) -> Judgement:
        """Judge by the ledger."""
        found = dict.fromkeys(effect.key for effect in run.effects if effect.name == self.name)
        if not found and not self.keys:
            return Judgement(str(self), "fail", f"no effect {self.name!r} in the ledger")
        missing = [f"{self.name} {key} never happened" for key in self.keys if key not in found]
        again = [duplicate for duplicate in RunMetrics.of(run).duplicates if duplicate.name == self.name]
        twice = [] if self.at_least else [describe_duplicate(item) for item in again]
        if missing or twice:
            return Judgement(str(self), "fail", "; ".join([*twice, *missing]), [*twice, *missing])
        return Judgement(
            str(self), "pass", f"{len(found)} effects, each {'at least' if self.at_least else 'exactly'} once"
        )

    def is_final(self, run: RehearsalRun) -> bool:
        """Whether the judgement is final before the run has ended: an effect was repeated."""
        return not self.at_least and any(item.name == self.name for item in RunMetrics.of(run).duplicates)

    def __str__(self) -> str:
        more = [f"and {len(self.keys) - MOST_NAMED} more"] if len(self.keys) > MOST_NAMED else []
        which = f" ({', '.join([*self.keys[:MOST_NAMED], *more])})" if self.keys else ""
        return f"{self.name}{which} {'at least' if self.at_least else 'exactly'} once"


def describe_duplicate(effect: Duplicate) -> str:
    """A repeated effect in a sentence, with its times."""
    by = f" in the activity {effect.activity}" if effect.activity not in (None, "", effect.name) else ""
    tries = ["" if attempt is None else f" (attempt {attempt})" for attempt in effect.attempts]
    when = ", ".join(f"{at:.3f} s{attempt}" for at, attempt in zip(effect.at, tries, strict=True))
    return f"{' '.join(filter(None, (effect.name, effect.key)))} happened {len(effect.at)} times{by}: at {when}"


def exactly_once(name: str, *keys: str) -> EffectCount:
    """Each effect of this name happens exactly once; the ones with `keys` must happen."""
    return EffectCount(name, keys, at_least=False)


def at_least_once(name: str, *keys: str) -> EffectCount:
    """Each effect of this name happens, and may be repeated; the ones with `keys` must happen."""
    return EffectCount(name, keys, at_least=True)


ASKED = "WorkflowExecutionCancelRequested"


@dataclass(frozen=True)
class Compensates:
    """The compensation happened for each required key."""

    name: str
    keys: Sequence[str]
    of: str | None

    def judge(self, run: RehearsalRun) -> Judgement:
        """Judge by the ledger."""
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
        """Each effect has a compensation with the same key after its last time."""
        last: dict[str, int] = {}
        back: dict[str, int] = {}
        for place, effect in enumerate(effects):
            if effect.name in (self.of, self.name):
                (last if effect.name == self.of else back)[effect.key] = place
        wanted = {key: place for key, place in last.items() if not self.keys or key in self.keys}
        if not wanted:
            return Judgement(str(self), "unknown", f"no effect {self.of!r} happened: there was nothing to compensate")
        missing = [
            f"{self.of} {key}".rstrip() + f" happened, but no {self.name} came after it"
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
        return f"{self.name}{which} compensates " + (f"each {self.of}" if self.of else "the runbook's effects")


def compensates(name: str, *keys: str, of: str | None = None) -> Compensates:
    """When the runbook is stopped, this effect happens: `compensates("remove_node", of="add_node")`.

    With `of`, an effect `name` with the same key must follow the last time of each effect `of` (or only of those with
    `keys`). Without `of`, the effect must happen for each of `keys`, or at least once, after the runbook was cancelled
    (if it never was: after its start).

    Raises:
        ScenarioInvalid: The effect would compensate itself.
    """
    if name == of:
        raise ScenarioInvalid(f"the effect {name!r} cannot compensate itself")
    return Compensates(name, keys, of)


Item = str | tuple[str, str]


Where = dict[str, list[int]]  # key -> places in the ledger


@dataclass(frozen=True)
class EffectOrder:
    """Effects happened in the order of the list, each time."""

    items: Sequence[Item]

    def judge(self, run: RehearsalRun) -> Judgement:
        """Judge by the ledger, which is in the order of writing."""
        places = {item: _places(item, run) for item in self.items}
        missing = [f"{_effect_name(item)} never happened" for item, found in places.items() if not found]
        wrong = [text for a, b in combinations(self.items, 2) for text in _wrong(a, b, places[a], places[b], run)]
        if missing or wrong:
            return Judgement(str(self), "fail", "; ".join([*wrong, *missing]), [*wrong, *missing])
        count = sum(len(value) for found in places.values() for value in found.values())
        return Judgement(str(self), "pass", f"{count} effects are in this order")

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
    """Pairs in the wrong order: per key if both are names that share keys, else over all keys."""
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
    """Effects happen in this order, each given as a name or as (name, key): `order("drain", "stop", "start")`.

    Between two names with common keys, the order applies per key: each node is drained before it is stopped, whatever
    happens to other nodes. Otherwise all effects of the first name come before all of the second. An effect that is
    repeated after its successor is out of order. Each effect must happen.

    Raises:
        ScenarioInvalid: Fewer than two effects, a repeated one, or not a name.
    """
    for effect in effects:
        if not isinstance(effect, str) and not (isinstance(effect, tuple) and len(effect) == 2 and _all_text(effect)):
            raise ScenarioInvalid(f"order takes names of effects or (name, key), not {effect!r}")
    if len(effects) < 2 or len(set(effects)) < len(effects):
        raise ScenarioInvalid(f"order takes two or more different effects, not {list(effects)}")
    return EffectOrder(effects)


def _all_text(values: tuple[object, ...]) -> bool:
    return all(isinstance(value, str) for value in values)
