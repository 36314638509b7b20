"""What `devserver search` is told, as conditions: durations, moments, sizes, event types and the like."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from ...errors import OptionError

if TYPE_CHECKING:
    from ...search import SearchQuery

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_WHOLE = re.compile(rf"(?:{_PART.pattern})+")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kMG])i?B?", re.IGNORECASE)
_BYTES = {"k": 10**3, "m": 10**6, "g": 10**9}
LEAST_SIZE = 10**6


def wanted_of(values: dict[str, Any]) -> SearchQuery:
    """The conditions that a user wrote.

    Raises:
        OptionError: One cannot be understood.
    """
    from ...search import Attempts, SearchQuery, event_number, status_named

    status, attempts = values["status"], values["attempts"]
    return SearchQuery(
        text=values["text"],
        activity=values["activity"],
        events=tuple(event_number(each) for each in values["events"]),
        failure=values["failure"],
        attempts=None if attempts is None else Attempts.parse(attempts),
        longer=seconds(values["longer"], "--longer"),
        shorter=seconds(values["shorter"], "--shorter"),
        worker=values["worker"],
        build=values["build"],
        since=moment(values["since"], "--since"),
        until=moment(values["until"], "--until"),
        workflow_type=values["workflow_type"],
        status=None if status is None else status_named(status),
        query=values["query"],
        open=values["open_only"],
    )


def seconds(text: str | None, option: str) -> float | None:
    """Seconds of `5s`, `1h30m`, `0.5s`, `200ms`, or a plain number of seconds."""
    if text is None:
        return None
    plain = text.strip()
    if re.fullmatch(r"\d+(\.\d+)?", plain):
        return float(plain)
    if not _WHOLE.fullmatch(plain):
        raise OptionError(f"{option} {text!r} is not a duration", hint=f"for example {option} 5s, or 200ms, or 1h30m")
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(plain))


def moment(text: str | None, option: str) -> datetime | None:
    """The moment that was so long ago, or that of an ISO 8601 text; without an offset it is this machine's time."""
    if text is None:
        return None
    if _WHOLE.fullmatch(text.strip()):
        ago = seconds(text, option) or 0.0
        try:
            return datetime.now(timezone.utc) - timedelta(seconds=ago)
        except OverflowError:
            raise OptionError(f"{option} {text}: there was no time so long ago") from None
    from ...system.time_zones import TIME_HINT, parse_time

    try:
        return parse_time(text, None, option)
    except OptionError as error:
        raise OptionError(error.message, hint=f"{TIME_HINT}; or 2h, which is two hours ago") from None


def size(text: str, option: str) -> int:
    """Bytes of `1GB`, `200 MB`."""
    found = _SIZE.fullmatch(text.strip())
    number = round(float(found[1]) * _BYTES[found[2].lower()]) if found else 0
    if number < LEAST_SIZE:
        raise OptionError(f"{option} {text!r} is not a size", hint=f"1MB at least, for example {option} 1GB")
    return number
