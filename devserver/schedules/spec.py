"""When a schedule is due: intervals, cron expressions and calendars, as a user writes them, and as text for a person.

The SDK's own `ScheduleSpec` takes calendars as ranges of numbers only; the server parses them as users write them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from temporalio.api.schedule.v1 import CalendarSpec, IntervalSpec, StructuredCalendarSpec
from temporalio.api.schedule.v1 import ScheduleSpec as ScheduleSpecProto

from ..config.durations import format_duration, parse_duration
from ..errors import OptionError

FIELDS = tuple(field.name for field in CalendarSpec.DESCRIPTOR.fields)
CALENDAR_HINT = f"for example 'day_of_week=MON-FRI hour=9 minute=30'; fields: {', '.join(FIELDS)}"
DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


@dataclass(frozen=True)
class Interval:
    """A time each `every` since the epoch, plus `offset`."""

    every: timedelta
    offset: timedelta = timedelta(0)

    @classmethod
    def parse(cls, text: str, option: str = "--interval") -> Interval:
        """Parse `30m`, or `30m/5m`: every 30 minutes with an offset of 5 minutes.

        Raises:
            OptionError: The text is not a duration; the message names `option`.
        """
        every, _, offset = text.partition("/")
        seconds = parse_duration(offset, option) if offset else 0
        return cls(timedelta(seconds=parse_duration(every, option)), timedelta(seconds=seconds))

    def to_proto(self) -> IntervalSpec:
        """The interval for a request."""
        spec = IntervalSpec()
        spec.interval.FromTimedelta(self.every)
        if self.offset:
            spec.phase.FromTimedelta(self.offset)
        return spec


@dataclass(frozen=True)
class Calendar:
    """Calendar fields and their values, as the server parses them: `9`, `9-17/2`, `MON-FRI`, `*`."""

    fields: tuple[tuple[str, str], ...]

    @classmethod
    def parse(cls, text: str, option: str = "--calendar") -> Calendar:
        """Parse `hour=9 minute=30`, or a JSON object as the Temporal CLI takes it: `{"hour": "9"}`.

        Raises:
            OptionError: The text has another form or an unknown field; the message names `option`.
        """
        fields = _json_fields(text, option) if text.lstrip().startswith("{") else _word_fields(text, option)
        unknown = [name for name in fields if name not in FIELDS]
        if unknown:
            raise OptionError(f"{option} {text!r} has unknown fields: {', '.join(unknown)}", hint=CALENDAR_HINT)
        if not fields:
            raise OptionError(f"{option} {text!r} has no fields", hint=CALENDAR_HINT)
        return cls(tuple(fields.items()))

    def to_proto(self) -> CalendarSpec:
        """The calendar for a request. The server fills in missing fields: minute 0, every day."""
        return CalendarSpec(**dict(self.fields))

    def whole_day(self) -> Calendar:
        """The same calendar with `*` for a missing hour, minute or second: an excluded day is excluded all day."""
        return Calendar(tuple({**dict.fromkeys(("hour", "minute", "second"), "*"), **dict(self.fields)}.items()))


def _word_fields(text: str, option: str) -> dict[str, str]:
    pairs = [word.partition("=") for word in text.split()]
    if any(not equals for _, equals, _ in pairs):
        raise OptionError(f"{option} {text!r} is not a list of field=value", hint=CALENDAR_HINT)
    return {_snake_case(name): value for name, _, value in pairs}


def _json_fields(text: str, option: str) -> dict[str, str]:
    try:
        fields = json.loads(text)
    except ValueError as error:
        raise OptionError(f"{option} {text!r} is not JSON: {error}", hint=CALENDAR_HINT) from None
    return {_snake_case(name): str(value) for name, value in fields.items()}


def _snake_case(name: str) -> str:
    return "".join("_" + letter.lower() if letter.isupper() else letter for letter in name).replace("-", "_")


@dataclass(frozen=True)
class ScheduleSpec:
    """When a schedule is due: at all times of `intervals`, `crons` and `calendars`, except those of `skip`.

    Args:
        skip: Calendar times to exclude. A calendar without hours excludes the whole day.
        time_zone: Time zone of crons and calendars, by its IANA name; None is UTC.
        jitter: Delay each time by a random duration up to this one.
        start, end: The period in which the schedule is due; None is unlimited.
    """

    intervals: tuple[Interval, ...] = ()
    crons: tuple[str, ...] = ()
    calendars: tuple[Calendar, ...] = ()
    skip: tuple[Calendar, ...] = ()
    time_zone: str | None = None
    jitter: timedelta | None = None
    start: datetime | None = None
    end: datetime | None = None

    @property
    def empty(self) -> bool:
        """Whether the schedule is never due."""
        return not (self.intervals or self.crons or self.calendars)

    def to_proto(self, *, jitter: bool = True) -> ScheduleSpecProto:
        """The spec for a request; without its jitter if `jitter` is false.

        Raises:
            OptionError: The end is not later than the start.
        """
        if self.start and self.end and self.end <= self.start:
            raise OptionError(f"the schedule ends ({self.end}) before it starts ({self.start})")
        spec = ScheduleSpecProto(
            interval=[interval.to_proto() for interval in self.intervals],
            cron_string=self.crons,
            calendar=[calendar.to_proto() for calendar in self.calendars],
            exclude_calendar=[calendar.whole_day().to_proto() for calendar in self.skip],
            timezone_name=self.time_zone or "",
        )
        if self.jitter and jitter:
            spec.jitter.FromTimedelta(self.jitter)
        if self.start:
            spec.start_time.FromDatetime(self.start)
        if self.end:
            spec.end_time.FromDatetime(self.end)
        return spec


def spec_text(spec: ScheduleSpecProto) -> str:
    """A spec on one line: `every 30m +5m; 0 9 * * MON-FRI (Europe/Berlin)`; `never` without any times.

    The server turns cron expressions into calendars; they are shown as cron expressions again.
    """
    parts = [_interval_text(interval.interval.seconds, interval.phase.seconds) for interval in spec.interval]
    parts += [*spec.cron_string, *(_cron_text(calendar) for calendar in spec.structured_calendar)]
    text = "; ".join(parts) or "never"
    if spec.timezone_name:
        text += f" ({spec.timezone_name})"
    excluded = [_cron_text(calendar) for calendar in spec.exclude_structured_calendar]
    if excluded:
        text += f", except {'; '.join(excluded)}"
    if spec.jitter.ToTimedelta():
        text += f", jitter {format_duration(spec.jitter.seconds)}"
    return text


def _interval_text(every: int, offset: int) -> str:
    return f"every {format_duration(every)}" + (f" +{format_duration(offset)}" if offset else "")


def _cron_text(calendar: StructuredCalendarSpec) -> str:
    second = _field_text(calendar.second, 0, 59)
    parts = [
        _field_text(calendar.minute, 0, 59),
        _field_text(calendar.hour, 0, 23),
        _field_text(calendar.day_of_month, 1, 31),
        _field_text(calendar.month, 1, 12),
        _field_text(calendar.day_of_week, 0, 6, DAYS),
    ]
    year = _field_text(calendar.year, 0, 9999) if calendar.year else "*"
    if second != "0":
        return " ".join([second, *parts, year])  # a cron expression with seconds has seven fields
    return " ".join(parts if year == "*" else [*parts, year])


class _Range(Protocol):
    """A range of numbers with a step, both ends included."""

    start: int
    end: int
    step: int


def _field_text(ranges: Sequence[_Range], low: int, high: int, names: Sequence[str] = ()) -> str:
    return ",".join(_range_text(numbers, low, high, names) for numbers in ranges)


def _range_text(numbers: _Range, low: int, high: int, names: Sequence[str]) -> str:
    def name(value: int) -> str:
        return names[value] if value < len(names) else str(value)

    step = f"/{numbers.step}" if numbers.step > 1 else ""
    start, end = numbers.start, max(numbers.start, numbers.end)
    if (start, end) == (low, high):
        return f"*{step}"
    return name(start) if start == end else f"{name(start)}-{name(end)}{step}"
