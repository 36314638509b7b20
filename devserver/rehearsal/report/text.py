"""The text of reports: times, numbers, repeated effects, and summaries of verdicts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ...system.printable import counted

VERDICTS = {"pass": "Pass", "fail": "Fail", "unknown": "Unknown"}
SIGNS = {"pass": "✓", "fail": "✗", "unknown": "?"}
SEVERITY = {"pass": 0, "unknown": 1, "fail": 2}  # of verdicts: the worst of many is the highest
ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff]")
STAMP = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)[\d:.]*(?:\+00:00|Z)")
MOST_CHARACTERS = 2000
NAME_CHARACTERS = 300


def clean(text: object, most: int = MOST_CHARACTERS) -> str:
    """Text that is safe for a page, XML and a terminal: no escape sequences or control characters, limited length."""
    whole = str(text)
    short = CONTROLS.sub("\N{REPLACEMENT CHARACTER}", ESCAPES.sub("", whole[: 2 * most]))
    if len(whole) <= 2 * most and len(short) <= most:
        return short
    return f"{short[:most]}... ({len(whole):,} characters in all)"


def seconds(value: float | None) -> str:
    """A duration: `0.41 s`, `12.5 s`, `3 min 20 s`, `2 h 5 min`; a dash for none."""
    if value is None:
        return "\N{EN DASH}"
    if value < 0:
        return f"-{seconds(-value)}"
    if value < 0.001:
        return "0 s"
    if value < 59.95:
        return f"{value:.2f} s" if value < 10 else f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def moment(value: float | None) -> str:
    """A time on the timeline in milliseconds; `never` for None."""
    return "never" if value is None else f"{value:,.3f} s"


def day(stamp: str | None) -> str:
    """A time of ISO 8601 for people: `2026-12-01 12:45 UTC`."""
    match = STAMP.fullmatch(stamp or "")
    return f"{match[1]} {match[2]} UTC" if match else stamp or "\N{EN DASH}"


def listed(names: Sequence[str], most: int = 3) -> str:
    """`a`, `a and b`, `a, b, c and 4 more`."""
    shown = list(names[:most])
    if len(names) > most:
        return f"{', '.join(shown)} and {len(names) - most:,} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else "".join(shown)


def twice(repeated: Mapping[str, Any]) -> str:
    """A repeated effect, with its times."""
    moments = repeated["moments"]
    by = f" (activity {repeated['activity']})" if repeated["activity"] not in (None, repeated["name"]) else ""
    times = "twice" if len(moments) == 2 else f"{len(moments):,} times"
    shown = [moment(item["at"]) + (f" (attempt {item['attempt']})" if item["attempt"] else "") for item in moments[:5]]
    return f"{effect_name(repeated)}{by} happened {times}: at {' and at '.join(shown)}"


def effect_name(effect: Mapping[str, Any]) -> str:
    """An effect's name and key: `add_node node-5`."""
    return f"{effect['name']} {effect['key']}".strip()


def point(point: Mapping[str, Any]) -> str:
    """A point of a sweep: the event before the kill, and what it was."""
    return f"event {point['event']}, {point['what']}"


def summary(result: Mapping[str, Any]) -> str:
    """A summary of the verdict for readers who know the runbook, but neither Temporal nor the scenario."""
    if result["verdict"] == "pass":
        return f"{_passed(result)}{_done_to(result)}"
    if result["verdict"] == "unknown":
        missed = [item for item in result["plan"] if item["at"] is None or item["problem"]]
        why = "Not every planned step happened" if missed else "Not every expectation could be judged"
        return f"This proves nothing yet. {why}: {_sentence(result['reason'])}"
    if result["sweep"]:
        points = result["sweep"]["points"]
        named = listed([point(item) for item in points if item["verdict"] != "pass"])
        return (
            f"Do not rely on this runbook yet. Of {counted(len(points), 'point')} with a kill, it did not survive "
            f"{result['sweep']['failed']}: {_sentence(named)}"
        )
    if result["repeated_effects"]:
        named = "; ".join(twice(item) for item in result["repeated_effects"][:3])
        return f"Do not rely on this runbook yet. A side effect was repeated: {_sentence(named)}{_done_to(result)}"
    failed = [item["name"] for item in result["expectations"] if item["verdict"] == "fail"]
    named = _sentence(listed(failed) or result["reason"])
    return f"Do not rely on this runbook yet. Not met: {named}{_done_to(result)}"


def _passed(result: Mapping[str, Any]) -> str:
    if result["sweep"]:
        points = len(result["sweep"]["points"])
        return f"The runbook survived a kill at each of {counted(points, 'point')}."
    took = f" in {seconds(result['seconds'])}" if result["seconds"] is not None else ""
    return f"The runbook met all expectations{took}."


def _done_to(result: Mapping[str, Any]) -> str:
    broken = [item["what"] for item in result["faults"]]
    more = [f"and {len(broken) - 3} more"] if len(broken) > 3 else []
    return f" Faults and drills: {_sentence('; '.join([*broken[:3], *more]))}" if broken else ""


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
