"""How a report says things: times, numbers, what acted twice, and a verdict's reason for whoever reads only that."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

VERDICTS = {"pass": "Pass", "fail": "Fail", "unknown": "Unknown"}
ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff]")
MOST_CHARACTERS = 2000
NAME_CHARACTERS = 300


def clean(text: object, most: int = MOST_CHARACTERS) -> str:
    """A text as a page, XML and a terminal can show it: no escape sequences, no control characters, not endless."""
    whole = str(text)
    short = CONTROLS.sub("\N{REPLACEMENT CHARACTER}", ESCAPES.sub("", whole[: 2 * most]))
    if len(whole) <= 2 * most and len(short) <= most:
        return short
    return f"{short[:most]}... ({len(whole):,} characters in all)"


def seconds(value: float | None) -> str:
    """A time for people: `0.41 s`, `12.5 s`, `3 min 20 s`, `2 h 5 min`; a dash for none."""
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
    """A moment on the timeline, to the millisecond; `never` for none."""
    return "never" if value is None else f"{value:,.3f} s"


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 attempt`, `1,200 attempts`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def listed(names: Sequence[str], most: int = 3) -> str:
    """`a`, `a and b`, `a, b, c and 4 more`."""
    shown = list(names[:most])
    if len(names) > most:
        return f"{', '.join(shown)} and {len(names) - most:,} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else "".join(shown)


def twice(repeated: Mapping[str, Any]) -> str:
    """A step that acted more than once, with its moments."""
    moments = repeated["moments"]
    by = f" (step {repeated['activity']})" if repeated["activity"] not in (None, repeated["name"]) else ""
    times = "twice" if len(moments) == 2 else f"{len(moments):,} times"
    shown = [moment(each["at"]) + (f" (attempt {each['attempt']})" if each["attempt"] else "") for each in moments[:5]]
    return f"{effect_name(repeated)}{by} happened {times}: at {' and at '.join(shown)}"


def effect_name(effect: Mapping[str, Any]) -> str:
    """An effect's name and key, as `add_node node-5`."""
    return f"{effect['name']} {effect['key']}".strip()


def point(point: Mapping[str, Any]) -> str:
    """A point of a sweep: the event that the kill came after, and what had happened by then."""
    return f"event {point['event']}, {point['what']}"


def summary(result: Mapping[str, Any]) -> str:
    """The verdict's reason for someone who knows the runbook, but neither Temporal nor the scenario's text."""
    if result["verdict"] == "pass":
        return f"{_passed(result)}{_done_to(result)}"
    if result["verdict"] == "unknown":
        missed = [each for each in result["plan"] if each["at"] is None or each["problem"]]
        why = "Not everything that was planned happened" if missed else "Not everything could be judged"
        return f"Nothing is proven yet. {why}: {_sentence(result['reason'])}"
    if result["sweep"]:
        points = result["sweep"]["points"]
        named = listed([point(each) for each in points if each["verdict"] != "pass"])
        return (
            f"Do not rely on this runbook yet. It was broken at {counted(len(points), 'point')} of its way, one after "
            f"the other, and did not come through {result['sweep']['failed']} of them: {_sentence(named)}"
        )
    if result["repeated_effects"]:
        named = "; ".join(twice(each) for each in result["repeated_effects"][:3])
        return f"Do not rely on this runbook yet. A step acted more than once: {_sentence(named)}{_done_to(result)}"
    failed = [each["name"] for each in result["expectations"] if each["verdict"] == "fail"]
    named = _sentence(listed(failed) or result["reason"])
    return f"Do not rely on this runbook yet. This did not hold: {named}{_done_to(result)}"


def _passed(result: Mapping[str, Any]) -> str:
    if result["sweep"]:
        points = len(result["sweep"]["points"])
        return f"The runbook came through at all {counted(points, 'point')} at which it was broken."
    took = f" in {seconds(result['seconds'])}" if result["seconds"] is not None else ""
    return f"The runbook did all that was expected of it{took}."


def _done_to(result: Mapping[str, Any]) -> str:
    broken = [each["what"] for each in result["faults"]]
    more = [f"and {len(broken) - 3} more"] if len(broken) > 3 else []
    return f" What was done to it: {_sentence('; '.join([*broken[:3], *more]))}" if broken else ""


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
