"""Names of event types: as the API writes them in JSON, and read from any usual writing."""

from __future__ import annotations

import difflib
import re

from temporalio.api.enums.v1 import EventType

from ..errors import OptionError

PREFIX = "EVENT_TYPE_"


def pascal(enum_name: str) -> str:
    """`ActivityTaskFailed` of `EVENT_TYPE_ACTIVITY_TASK_FAILED`."""
    return "".join(word.capitalize() for word in enum_name.removeprefix(PREFIX).split("_"))


NAMES: dict[int, str] = {number: pascal(name) for name, number in EventType.items() if number}
_NUMBERS = {name.lower(): number for number, name in NAMES.items()}


def event_name(number: int) -> str:
    """Its name; a type that this SDK does not know yet is told by its number."""
    return NAMES.get(number) or f"EventType{number}"


def event_number(text: str) -> int:
    """The event type that is meant by `ActivityTaskFailed`, `activity_task_failed`, `EVENT_TYPE_...` and the like.

    Raises:
        OptionError: There is none of that name; the nearest names are in the hint.
    """
    plain = re.sub(r"[^a-z0-9]", "", text.lower()).removeprefix("eventtype")
    if plain in _NUMBERS:
        return _NUMBERS[plain]
    if plain.isdecimal():
        return int(plain)
    inside = [name for name in _NUMBERS if plain and plain in name]
    near = difflib.get_close_matches(plain, _NUMBERS, n=3) or inside[:6]
    names = ", ".join(NAMES[_NUMBERS[name]] for name in near)
    raise OptionError(
        f"there is no event type {text}",
        hint=f"did you mean {names}?" if names else "as ActivityTaskFailed: https://docs.temporal.io/references/events",
    )
