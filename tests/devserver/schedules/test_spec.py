"""Specs of schedules: parsed from a user's text, and as text for a person."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from temporalio.api.schedule.v1 import Range, StructuredCalendarSpec
from temporalio.api.schedule.v1 import ScheduleSpec as ScheduleSpecProto

from devserver.errors import OptionError
from devserver.schedules import Calendar, Interval, ScheduleSpec
from devserver.schedules.spec import spec_text

NINE = datetime(2026, 11, 23, 9, tzinfo=timezone.utc)


def test_intervals_and_calendars() -> None:
    """Both forms of a calendar give the same result; an interval may have an offset."""
    assert Interval.parse("30m/5m") == Interval(timedelta(minutes=30), timedelta(minutes=5))
    words, object_ = Calendar.parse("day_of_week=MON-FRI hour=9"), Calendar.parse('{"dayOfWeek": "MON-FRI", "hour": 9}')
    assert words == object_ == Calendar((("day_of_week", "MON-FRI"), ("hour", "9")))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no fields"),
        ("monday", "is not a list of field=value"),
        ("hours=9 minute=5", "has unknown fields: hours"),
        ("{", "is not JSON"),
        ('["hour"]', "is not a list of field=value"),
        ("{}", "has no fields"),
    ],
)
def test_invalid_calendars(text: str, message: str) -> None:
    """The error says what is wrong with the calendar, and gives an example."""
    with pytest.raises(OptionError, match=message) as found:
        Calendar.parse(text)
    assert "day_of_week=MON-FRI hour=9" in (found.value.hint or "")


def test_end_before_start() -> None:
    """A spec that ends before it starts is an error."""
    with pytest.raises(OptionError, match=r"ends .* before it starts"):
        ScheduleSpec(start=NINE, end=NINE - timedelta(days=1)).to_proto()


def test_spec_text() -> None:
    """Calendars that the server made of a cron expression are shown as that cron expression."""
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
