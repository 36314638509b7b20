"""Moments as a user writes and reads them: in a zone of his, the machine's own unless one is named."""

from __future__ import annotations

import difflib
import zoneinfo
from datetime import datetime, timezone, tzinfo

from ..errors import OptionError

TIME_HINT = "as in 2026-11-23, 2026-11-23T09:00, 2026-11-23T09:00:00Z, or now"


def find_zone(name: str | None) -> tzinfo | None:
    """The zone of that name; None is the machine's own, as `datetime.astimezone` takes it.

    Raises:
        OptionError: This machine knows no such zone.
    """
    if name is None:
        return None
    if name.upper() == "UTC":
        return timezone.utc
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise OptionError(f"there is no time zone {name or '(empty)'}", hint=zone_hint(name)) from None


def zone_hint(name: str) -> str:
    """What to write instead of a zone that is not there."""
    known = zoneinfo.available_timezones()
    if not known:
        return "this machine has no data of time zones: pip install tzdata, or use UTC"
    by_end = {each.rpartition("/")[2].lower(): each for each in sorted(known)}
    last = name.rpartition("/")[2].lower().replace(" ", "_")
    near = difflib.get_close_matches(last, by_end, n=1)
    if near:
        return f"did you mean {by_end[near[0]]}, or another name of the IANA database, as America/New_York?"
    return "give a name of the IANA database, as Europe/Berlin or America/New_York"


def parse_time(text: str, zone: tzinfo | None, option: str) -> datetime:
    """The moment of an ISO 8601 text, in UTC; without an offset it is the clock's of `zone`.

    Raises:
        OptionError: It is none.
    """
    if text.strip().lower() == "now":
        return datetime.now(timezone.utc)
    try:
        found = datetime.fromisoformat(text.strip().replace("Z", "+00:00").replace("z", "+00:00"))
        if found.tzinfo is None and zone is not None:
            found = found.replace(tzinfo=zone)
        return found.astimezone(timezone.utc)
    except (ValueError, OverflowError, OSError):
        raise OptionError(f"{option} {text!r} is not a time", hint=TIME_HINT) from None
