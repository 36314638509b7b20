"""Times that a schedule leaves out because the clocks of its time zone go forward over them."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone

from temporalio.api.schedule.v1 import Range, StructuredCalendarSpec
from temporalio.api.schedule.v1 import ScheduleSpec as ScheduleSpecProto

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
MAX_DAYS = 8000
MAX_NOTES = 5


def clock_change_notes(spec: ScheduleSpecProto, start: datetime, end: datetime) -> tuple[str, ...]:
    """A sentence for each time between `start` and `end` that does not exist in the schedule's time zone.

    A schedule that is also due one clock change later, such as an hourly one, misses nothing.

    Args:
        spec: As the server describes it: with its crons as structured calendars.
    """
    if not spec.timezone_name or not spec.structured_calendar:
        return ()
    try:
        zone = zoneinfo.ZoneInfo(spec.timezone_name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return ()  # the server knows it, this machine does not
    left_out = [when for first, length in _gaps(zone, start, end) if (when := _due_in(spec, first, length)) is not None]
    notes = [
        f"{when.day} {when:%B} {when:%H:%M} is left out: clocks change in {spec.timezone_name}"
        for when in left_out[:MAX_NOTES]
    ]
    more = len(left_out) - MAX_NOTES
    return (*notes, f"{more} more times are left out at clock changes") if more > 0 else tuple(notes)


def no_effect_note(time_zone: str | None, *, on_calendars: bool) -> tuple[str, ...]:
    """A sentence on a time zone that changes nothing, because there are only intervals."""
    if not time_zone or on_calendars:
        return ()
    return (f"the time zone {time_zone} has no effect: intervals count from 1970 in UTC",)


def _gaps(zone: zoneinfo.ZoneInfo, start: datetime, end: datetime) -> Iterator[tuple[datetime, timedelta]]:
    """The wall times that are left out: the first one, and how long they are."""
    day = start.astimezone(timezone.utc)
    for _ in range(MAX_DAYS):
        if day > end:
            return
        before, after = _offset(zone, day), _offset(zone, day + DAY)
        if after > before:
            change = _change(zone, day)
            yield (change + before).replace(tzinfo=None), after - before
        day += DAY


def _change(zone: zoneinfo.ZoneInfo, day: datetime) -> datetime:
    """The second at which the offset changes, within a day."""
    low, high, before = 0, 24 * 3600, _offset(zone, day)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset(zone, day + middle * SECOND) == before else (low, middle)
    return (day + high * SECOND).replace(microsecond=0)


def _offset(zone: zoneinfo.ZoneInfo, when: datetime) -> timedelta:
    return when.astimezone(zone).utcoffset() or timedelta(0)


def _due_in(spec: ScheduleSpecProto, first: datetime, length: timedelta) -> datetime | None:
    """The first wall time of a gap at which the schedule is due, unless it is due as long after it too."""
    for number in range(int(length.total_seconds())):
        when = first + number * SECOND
        if _due(spec, when) and not _due(spec, when + length):
            return when
    return None


def _due(spec: ScheduleSpecProto, when: datetime) -> bool:
    return any(_matches(calendar, when) for calendar in spec.structured_calendar) and not any(
        _matches(calendar, when) for calendar in spec.exclude_structured_calendar
    )


def _matches(calendar: StructuredCalendarSpec, when: datetime) -> bool:
    exact = ((calendar.hour, when.hour), (calendar.minute, when.minute), (calendar.second, when.second))
    if not all(_in(ranges, value, otherwise=value == 0) for ranges, value in exact):
        return False
    weekday = (when.weekday() + 1) % 7  # Sunday is 0
    others = ((calendar.day_of_month, when.day), (calendar.month, when.month), (calendar.year, when.year))
    return all(_in(ranges, value, otherwise=True) for ranges, value in (*others, (calendar.day_of_week, weekday)))


def _in(ranges: Sequence[Range], value: int, *, otherwise: bool) -> bool:
    if not ranges:
        return otherwise
    return any(value in range(each.start, max(each.start, each.end) + 1, each.step or 1) for each in ranges)
