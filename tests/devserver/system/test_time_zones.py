"""Time zones by name, and times as users write them."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from devserver.errors import OptionError
from devserver.system.time_zones import find_zone, parse_time

NINE = datetime(2026, 11, 23, 9, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("text", "zone"),
    [("2026-11-23T09:00Z", None), ("2026-11-23T10:00+01:00", None), ("2026-11-23T10:00", "Europe/Berlin")],
)
def test_times(text: str, zone: str | None) -> None:
    """A time has an offset, or is local time in a time zone."""
    assert parse_time(text, find_zone(zone), "--after") == NINE


def test_invalid_times_and_zones() -> None:
    """The error names the option and the text; a misspelled time zone gets a suggestion."""
    with pytest.raises(OptionError, match="--after 'soon' is not a time"):
        parse_time("soon", None, "--after")
    with pytest.raises(OptionError, match="unknown time zone Berlin") as found:
        find_zone("Berlin")
    assert "did you mean Europe/Berlin?" in (found.value.hint or "")
