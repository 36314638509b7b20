"""Times as users write them, and as they are told back."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from temporalio.api.schedule.v1 import Range, StructuredCalendarSpec
from temporalio.api.schedule.v1 import ScheduleSpec as ScheduleSpecProto

from devserver.errors import OptionError
from devserver.schedules import Calendar, Interval, ScheduleSpec, find_zone, parse_time
from devserver.schedules.spec import spec_text

NINE = datetime(2026, 11, 23, 9, tzinfo=timezone.utc)


def test_intervals_and_calendars() -> None:
    """Both forms of a calendar are read alike; an interval may have an offset."""
    assert Interval.parse("30m/5m") == Interval(timedelta(minutes=30), timedelta(minutes=5))
    words, object_ = Calendar.parse("day_of_week=MON-FRI hour=9"), Calendar.parse('{"dayOfWeek": "MON-FRI", "hour": 9}')
    assert words == object_ == Calendar((("day_of_week", "MON-FRI"), ("hour", "9")))


@pytest.mark.parametrize("text", ["", "monday", "hours=9", "{", '["hour"]', "{}"])
def test_calendars_that_are_none(text: str) -> None:
    """A wrong field or form is told, with an example."""
    with pytest.raises(OptionError) as found:
        Calendar.parse(text)
    assert "day_of_week=MON-FRI hour=9" in (found.value.hint or "")


@pytest.mark.parametrize(
    ("text", "zone"),
    [("2026-11-23T09:00Z", None), ("2026-11-23T10:00+01:00", None), ("2026-11-23T10:00", "Europe/Berlin")],
)
def test_times(text: str, zone: str | None) -> None:
    """With an offset, or on the clock of a zone."""
    assert parse_time(text, find_zone(zone), "--after") == NINE


def test_times_that_are_none() -> None:
    """Neither a time, nor a zone, nor an end before the start."""
    with pytest.raises(OptionError, match="--after 'soon' is not a time"):
        parse_time("soon", None, "--after")
    with pytest.raises(OptionError, match="there is no time zone Berlin") as found:
        find_zone("Berlin")
    assert "did you mean Europe/Berlin, or" in (found.value.hint or "")
    with pytest.raises(OptionError, match=r"ends .* before it starts"):
        ScheduleSpec(start=NINE, end=NINE - timedelta(days=1)).to_proto()


def test_a_spec_in_words() -> None:
    """What the server has made of a cron expression is told as one."""
    spec = ScheduleSpec(intervals=(Interval.parse("2h/5m"),), time_zone="UTC", jitter=timedelta(seconds=90)).to_proto()
    days = StructuredCalendarSpec(
        second=[Range()],
        minute=[Range(start=0, end=59, step=15)],
        hour=[Range(start=9), Range(start=12, end=14)],
        day_of_month=[Range(start=1, end=31)],
        month=[Range(start=1, end=12)],
        day_of_week=[Range(start=1, end=5)],
    )
    spec.structured_calendar.append(days)
    assert spec_text(spec) == "every 2h +5m; */15 9,12-14 * * MON-FRI (UTC), jitter 1m30s"
    assert spec_text(ScheduleSpecProto()) == "never"
