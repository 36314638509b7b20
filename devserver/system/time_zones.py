"""Time zones by name, and times as a user writes them."""

from __future__ import annotations

import difflib
import zoneinfo
from datetime import datetime, timezone, tzinfo

from ..errors import OptionError

TIME_HINT = "use 2026-11-23, 2026-11-23T09:00, 2026-11-23T09:00:00Z, or now"


def find_zone(name: str | None) -> tzinfo | None:
    """The time zone of that name; None is the machine's own, as in `datetime.astimezone`.

    Raises:
        OptionError: The time zone is unknown.
    """
    if name is None:
        return None
    if name.upper() == "UTC":
        return timezone.utc
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise OptionError(f"unknown time zone {name or '(empty)'}", hint=zone_hint(name)) from None


def zone_hint(name: str) -> str:
    """What to write instead of an unknown time zone."""
    known = zoneinfo.available_timezones()
    if not known:
        return "this machine has no time zone data: run pip install tzdata, or use UTC"
    by_city = {zone.rpartition("/")[2].lower(): zone for zone in sorted(known)}
    city = name.rpartition("/")[2].lower().replace(" ", "_")
    near = difflib.get_close_matches(city, by_city, n=1)
    if near:
        return f"did you mean {by_city[near[0]]}? Names are those of the IANA database, such as America/New_York"
    return "use a name of the IANA database, such as Europe/Berlin or America/New_York"


def parse_time(text: str, zone: tzinfo | None, option: str) -> datetime:
    """The time of an ISO 8601 text, in UTC. Without an offset it is local time in `zone`.

    Raises:
        OptionError: The text is not a time; the message names `option`.
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
