"""What changed between two reports: verdicts, expectations, repeated effects, outages and timings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...system.json_form import FORM
from .stored import is_figure, named, shared_names
from .text import SEVERITY, clean

LEAST_SECONDS = 0.5  # a smaller change of a timing is no change
LEAST_PERCENT = 20.0
# Keys of a result's metrics: those in which more is worse, then timings.
COUNTS = {
    "duplicate_effects": "Repeated side effects",
    "lost_signals": "Signals lost",
}
TIMINGS = {
    "seconds": "Duration of the runbook",
    "recovery_seconds": "Recovery",
    "idle_seconds": "Longest time without progress",
    "server_down_seconds": "Server down",
    "worker_down_seconds": "Worker down",
}
ORDER = ("worse", "gone", "better", "new", "same")  # of scenarios
ATTEMPTS = {"attempts": "Attempts"}


def compared(
    one: Mapping[str, Any], other: Mapping[str, Any], places: tuple[Path, Path], *, slower: float | None = None
) -> dict[str, Any]:
    """The changes from one report to another, as plain data; docs/json.md describes the keys.

    Args:
        slower: Percent by which a timing may grow before that is worse; None: timings do not count.
    """
    shared = shared_names((one, other))
    before, after = dict(named(one, shared)), dict(named(other, shared))
    scenarios = [_scenario(key, before.get(key), after.get(key), slower) for key in {**before, **after}]
    scenarios.sort(key=lambda scenario: ORDER.index(scenario["change"]))
    changes = [scenario["change"] for scenario in scenarios]
    worse = changes.count("worse") + changes.count("gone")
    return {
        "form": FORM,
        "verdict": "worse" if worse else "better" if "better" in changes else "same",
        "a": _about(one, places[0]),
        "b": _about(other, places[1]),
        "counts": {change: changes.count(change) for change in ORDER},
        "scenarios": scenarios,
    }


def _about(report: Mapping[str, Any], place: Path) -> dict[str, Any]:
    return {"report": clean(place), "created": clean(report["created"], 40), "verdict": report["verdict"]}


def _scenario(
    key: tuple[str, int], before: Mapping[str, Any] | None, after: Mapping[str, Any] | None, slower: float | None
) -> dict[str, Any]:
    name, turn = key
    shape = {
        "name": clean(name),
        "turn": turn,
        "a": None if before is None else before["verdict"],
        "b": None if after is None else after["verdict"],
    }
    if before is None or after is None:
        return {**shape, "change": "new" if before is None else "gone", "expectations": [], "figures": []}
    expectations = list(_expectations(before["expectations"], after["expectations"]))
    figures = list(_figures(before, after, slower))
    changes = [_step(SEVERITY[before["verdict"]], SEVERITY[after["verdict"]])]
    changes += [item["change"] for item in (*expectations, *figures)]
    change = "worse" if "worse" in changes else "better" if "better" in changes else "same"
    return {**shape, "change": change, "expectations": expectations, "figures": figures}


def _step(before: float, after: float) -> str:
    return "worse" if after > before else "better" if after < before else "same"


def _expectations(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Each expectation of either; one that is gone, or is new and is met, is neither worse nor better."""
    old, new = ({item["name"]: item for item in items} for items in (before, after))
    for name in {**old, **new}:
        one, other = old.get(name), new.get(name)
        if one is not None and other is not None:
            change = _step(SEVERITY[one["verdict"]], SEVERITY[other["verdict"]])
        elif other is None:
            change = "gone"
        else:
            change = "new" if other["verdict"] == "pass" else "worse"
        yield {
            "name": clean(name),
            "a": one["verdict"] if one else None,
            "b": other["verdict"] if other else None,
            "change": change,
            "evidence": clean((other or one or {}).get("evidence") or ""),
        }


def _figures(before: Mapping[str, Any], after: Mapping[str, Any], slower: float | None) -> Iterator[dict[str, Any]]:
    for key, title in {**COUNTS, **TIMINGS, **ATTEMPTS}.items():
        one, other = _figure(before, key), _figure(after, key)
        if one is None and other is None:
            continue
        change = "same"
        if key in COUNTS:
            change = _step(one or 0, other or 0)
        elif key in TIMINGS:
            change = _timing(one, other, slower)
        difference = None if one is None or other is None else round(other - one, 6)
        yield {"key": key, "name": title, "a": one, "b": other, "difference": difference, "change": change}


def _timing(before: float | None, after: float | None, slower: float | None) -> str:
    """`slower`, `faster` or `same`; `worse` if it grew by more than is allowed. Small changes are chance."""
    if before is None or after is None:
        return "same"
    more, percent = after - before, 100 * (after - before) / before if before > 0 else float("inf")
    if slower is not None and more >= LEAST_SECONDS and percent > slower:
        return "worse"
    if abs(more) < LEAST_SECONDS or (before > 0 and abs(percent) < LEAST_PERCENT):
        return "same"
    return "slower" if more > 0 else "faster"


def _figure(result: Mapping[str, Any], key: str) -> float | None:
    value = result.get("seconds") if key == "seconds" else (result.get("metrics") or {}).get(key)
    if isinstance(value, list):
        return len(value)
    return value if isinstance(value, (int, float)) and is_figure(value) else None
