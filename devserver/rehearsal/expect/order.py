"""The expectation that effects happened in an order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, combinations

from ..errors import ScenarioInvalid
from ..scenario.result import Judgement, RehearsalRun

Item = str | tuple[str, str]
Where = dict[str, list[int]]  # key -> places in the ledger


@dataclass(frozen=True)
class Order:
    """What stands before another in the list happened before it, each time."""

    items: Sequence[Item]

    def judge(self, run: RehearsalRun) -> Judgement:
        """By the ledger, which is in the order in which it was written."""
        places = {item: _places(item, run) for item in self.items}
        missing = [f"{_named(item)} never happened" for item, found in places.items() if not found]
        wrong = [text for a, b in combinations(self.items, 2) for text in _wrong(a, b, places[a], places[b], run)]
        if missing or wrong:
            return Judgement(str(self), "fail", "; ".join([*wrong, *missing]), [*wrong, *missing])
        count = sum(len(each) for found in places.values() for each in found.values())
        return Judgement(str(self), "pass", f"{count} effects are in that order")

    def __str__(self) -> str:
        return f"order: {' before '.join(map(_named, self.items))}"


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
    return f"{_named((effect.name, effect.key))} at {effect.at - run.began.timestamp():.3f} s"


def _named(item: Item) -> str:
    return item if isinstance(item, str) else " ".join(item).rstrip()


def order(*effects: Item) -> Order:
    """Effects happened in that order, each given as a name or as (name, key): `order("drain", "stop", "start")`.

    Between two names that have keys in common the order holds for each key: each node is drained before it is stopped,
    whatever the other nodes do. Otherwise all of the one come before all of the other. An effect that is done again
    later, after its successor, is out of order. Each must have happened.

    Raises:
        ScenarioInvalid: Fewer than two are given, one is given twice, or is no name.
    """
    for each in effects:
        if not isinstance(each, str) and not (isinstance(each, tuple) and len(each) == 2 and _texts(each)):
            raise ScenarioInvalid(f"order takes names of effects and (name, key), not {each!r}")
    if len(effects) < 2 or len(set(effects)) < len(effects):
        raise ScenarioInvalid(f"an order is of two effects or more, each given once, not of {list(effects)}")
    return Order(effects)


def _texts(values: tuple[object, ...]) -> bool:
    return all(isinstance(each, str) for each in values)
