"""How a text of one plain type is read: the word for it in help, and the form that JSON has for it."""

from __future__ import annotations

import datetime
import decimal
import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any

_SECONDS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|[dhms])")


def _number(kind: Callable[[str], Any], name: str) -> Callable[[str], Any]:
    def run(text: str) -> Any:
        try:
            return kind(text)
        except (ValueError, ArithmeticError):
            raise ValueError(f"{text!r} is not {name}") from None

    return run


def _bool(text: str) -> bool:
    known = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    if text.lower() not in known:
        raise ValueError(f"{text!r} is not true or false")
    return known[text.lower()]


def _iso(kind: Any, example: str) -> Callable[[str], str]:
    def run(text: str) -> str:
        try:
            # Python 3.10 does not know the Z.
            return str(kind.fromisoformat(re.sub(r"[zZ]$", "+00:00", text)).isoformat())
        except ValueError:
            raise ValueError(f"{text!r} is not of the form {example}") from None

    return run


def _duration(text: str) -> float | str:
    """Seconds; ISO 8601 durations stay as they are."""
    if re.fullmatch(r"-?P.+", text):
        return text
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    parts = _DURATION.findall(text)
    if not parts or "".join(map("".join, parts)) != text:
        raise ValueError(f"{text!r} is no duration, as 90s, 1h30m or 2d")
    return sum(float(count) * _SECONDS[unit] for count, unit in parts)


def _float(text: str) -> float:
    number = float(text)
    if number != number or number in (float("inf"), float("-inf")):
        raise ValueError(text)
    return number


READERS: Mapping[type, tuple[str, Callable[[str], Any]]] = {
    str: ("TEXT", str),
    int: ("INTEGER", _number(int, "a whole number")),
    float: ("NUMBER", _number(_float, "a number")),
    bool: ("true|false", _bool),
    decimal.Decimal: ("DECIMAL", _number(lambda text: str(decimal.Decimal(text)), "a decimal number")),
    uuid.UUID: ("UUID", _number(lambda text: str(uuid.UUID(text)), "a UUID")),
    datetime.datetime: ("DATETIME", _iso(datetime.datetime, "2026-11-22T15:40:04+00:00")),
    datetime.date: ("DATE", _iso(datetime.date, "2026-11-22")),
    datetime.time: ("TIME", _iso(datetime.time, "15:40:04")),
    datetime.timedelta: ("DURATION", _duration),
    bytes: ("TEXT", str),
}
