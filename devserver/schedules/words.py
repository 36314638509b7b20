"""When a schedule is due, in few words: intervals as durations, calendars as the cron expressions they came from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from temporalio.api.schedule.v1 import ScheduleSpec, StructuredCalendarSpec

from ..config.server_options import format_duration

DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


class Range(Protocol):
    """From start to end in steps, both included."""

    start: int
    end: int
    step: int


def spec_in_words(spec: ScheduleSpec) -> str:
    """As in `every 30m +5m; 0 9 * * MON-FRI (Europe/Berlin)`; `never` for what is only triggered."""
    parts = [_interval(each.interval.seconds, each.phase.seconds) for each in spec.interval]
    parts += [*spec.cron_string, *(_calendar(each) for each in spec.structured_calendar)]
    text = "; ".join(parts) or "never"
    if spec.timezone_name:
        text += f" ({spec.timezone_name})"
    excluded = [_calendar(each) for each in spec.exclude_structured_calendar]
    if excluded:
        text += f", but not {'; '.join(excluded)}"
    if spec.jitter.ToTimedelta():
        text += f", jitter {format_duration(spec.jitter.seconds)}"
    return text


def _interval(every: int, offset: int) -> str:
    return f"every {format_duration(every)}" + (f" +{format_duration(offset)}" if offset else "")


def _calendar(calendar: StructuredCalendarSpec) -> str:
    second = _field(calendar.second, 0, 59)
    parts = [
        _field(calendar.minute, 0, 59),
        _field(calendar.hour, 0, 23),
        _field(calendar.day_of_month, 1, 31),
        _field(calendar.month, 1, 12),
        _field(calendar.day_of_week, 0, 6, DAYS),
    ]
    year = _field(calendar.year, 0, 9999) if calendar.year else "*"
    if second != "0":
        return " ".join([second, *parts, year])  # seven fields are read with seconds
    return " ".join(parts if year == "*" else [*parts, year])


def _field(ranges: Sequence[Range], low: int, high: int, names: Sequence[str] = ()) -> str:
    return ",".join(_range(each, low, high, names) for each in ranges)


def _range(one: Range, low: int, high: int, names: Sequence[str]) -> str:
    def name(value: int) -> str:
        return names[value] if value < len(names) else str(value)

    step = f"/{one.step}" if one.step > 1 else ""
    end = max(one.start, one.end)
    if (one.start, end) == (low, high):
        return f"*{step}"
    return name(one.start) if one.start == end else f"{name(one.start)}-{name(end)}{step}"
