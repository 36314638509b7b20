"""Durations as people write them: in whole seconds, as the server has them, and in fractions, for waiting."""

from __future__ import annotations

import re

from ..errors import OptionError

LONGEST_SECONDS = 365_000 * 24 * 3600  # a thousand years: can be added to any date of today

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_PARTS = re.compile(rf"(?:{_PART.pattern})+")
_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?\Z")


def parse_duration(text: str, option: str) -> int:
    """The seconds of a duration: `30d`, `12h`, `1d12h`, `90m`, `45s`, or a number of seconds.

    Args:
        text: The duration.
        option: The option, for the error.

    Raises:
        OptionError: The text is not a duration, or the duration is longer than a thousand years.
    """
    plain = text.strip()
    found = _DURATION.match(f"{plain}s" if plain.isdecimal() else plain)
    if not found or not any(found.groups()):
        raise OptionError(f"{option} {text!r} is not a duration", hint=f"for example {option} 30d, or 12h, or 90m")
    if len(plain) >= 40:
        raise _too_long(plain, option)
    days, hours, minutes, seconds = (int(group or 0) for group in found.groups())
    length = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    if length > LONGEST_SECONDS:
        raise _too_long(plain, option)
    return length


def parse_seconds(text: str, option: str) -> float:
    """The seconds of a duration with fractions and milliseconds: `5s`, `200ms`, `1h30m`, `1.5`.

    Args:
        text: The duration.
        option: The option, for the error.

    Raises:
        OptionError: The text is not a duration, or the duration is longer than a thousand years.
    """
    plain = text.strip()
    if re.fullmatch(r"\d+(\.\d+)?", plain):
        found = float(plain)
    elif has_unit(plain):
        found = sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(plain))
    else:
        raise OptionError(f"{option} {text!r} is not a duration", hint=f"for example {option} 5s, or 200ms, or 1h30m")
    if found > LONGEST_SECONDS:
        raise _too_long(plain, option)
    return found


def has_unit(text: str) -> bool:
    """Whether `text` is a duration for `parse_seconds` with a unit."""
    return _PARTS.fullmatch(text.strip()) is not None


def format_duration(seconds: int) -> str:
    """A duration in the form that `parse_duration` reads, such as `1d12h`."""
    parts = []
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, seconds = divmod(seconds, length)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def _too_long(plain: str, option: str) -> OptionError:
    return OptionError(f"{option} {plain[:40]} is too long", hint=f"the longest is {format_duration(LONGEST_SECONDS)}")
