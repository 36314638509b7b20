"""Results of a bounded size: long texts and lists are cut, and what is left out is named."""

from __future__ import annotations

import json
from typing import Any

# Most characters of a text, and most items of a list, until the result is small enough.
STEPS = ((4000, 1000), (1000, 200), (400, 50), (200, 20), (100, 8), (60, 3))
MOST_NAMED = 20
LEFT_OUT = "left_out"


def bounded(answer: dict[str, Any], most: int) -> dict[str, Any]:
    """The answer, as JSON at most about `most` characters long; `left_out` names the lists and texts that were cut."""
    if len(json.dumps(answer)) <= most:
        return answer
    for characters, items in STEPS:
        cuts: list[str] = []
        smaller = _cut(answer, "", characters, items, cuts)
        named = cuts[:MOST_NAMED]
        if len(cuts) > MOST_NAMED:
            named.append(f"and {len(cuts) - MOST_NAMED:,} more")
        found: dict[str, Any] = {**smaller, LEFT_OUT: named}
        if len(json.dumps(found)) <= most:
            return found
    text = json.dumps(answer.get("result"))
    shown = cut_text(text, most // 3)  # quotes are escaped again
    return {**answer, "notes": "", "result": shown, LEFT_OUT: [f"result: the first {len(shown):,} characters as text"]}


def cut_text(text: str, most: int) -> str:
    """The text, at most about `most` characters of it."""
    return text if len(text) <= most else f"{text[:most]}... ({len(text) - most:,} characters more)"


def _cut(value: Any, place: str, characters: int, items: int, cuts: list[str]) -> Any:
    if isinstance(value, str) and len(value) > characters:
        cuts.append(f"{place}: {characters:,} of {len(value):,} characters")
        return cut_text(value, characters)
    if isinstance(value, list):
        if len(value) > items:
            cuts.append(f"{place}: {items:,} of {len(value):,} items")
        return [_cut(item, f"{place}.{at}", characters, items, cuts) for at, item in enumerate(value[:items])]
    if isinstance(value, dict):
        return {
            key: _cut(item, f"{place}.{key}" if place else key, characters, items, cuts) for key, item in value.items()
        }
    return value
