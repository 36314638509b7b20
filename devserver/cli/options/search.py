"""The conditions of `devserver search`: durations, moments, sizes, event types."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from ...config.durations import has_unit, parse_seconds
from ...errors import OptionError

if TYPE_CHECKING:
    from ...search import SearchQuery

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
        events=tuple(event_number(name) for name in values["events"]),
        failure=values["failure"],
        attempts=None if attempts is None else Attempts.parse(attempts),
        longer=duration(values["longer"], "--longer"),
        shorter=duration(values["shorter"], "--shorter"),
        worker=values["identity"],
        build=values["build_id"],
        since=moment(values["since"], "--since"),
        until=moment(values["until"], "--until"),
        workflow_type=values["workflow_type"],
        status=None if status is None else status_named(status),
        query=values["query"],
        open=values["open_only"],
    )


def duration(text: str | None, option: str) -> float | None:
    """Seconds of a duration that may be missing."""
    return None if text is None else parse_seconds(text, option)


def moment(text: str | None, option: str) -> datetime | None:
    """A moment: ISO 8601, in local time without an offset, or a duration before now."""
    if text is None:
        return None
    if has_unit(text):
        try:
            return datetime.now(timezone.utc) - timedelta(seconds=parse_seconds(text, option))
        except OverflowError:
            raise OptionError(f"{option} {text} is before the year 1") from None
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
