"""When a schedule is due, as users write it: intervals, cron expressions and calendars, in the server's own form."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from temporalio.api.schedule.v1 import CalendarSpec, IntervalSpec, StructuredCalendarSpec
from temporalio.api.schedule.v1 import ScheduleSpec as ScheduleSpecProto

from ..config.server_options import format_duration, parse_duration
from ..errors import OptionError

FIELDS = tuple(each.name for each in CalendarSpec.DESCRIPTOR.fields)
CALENDAR_HINT = f"as in 'day_of_week=MON-FRI hour=9 minute=30'; fields: {', '.join(FIELDS)}"


@dataclass(frozen=True)
class Interval:
    """Every so often, counted from the epoch, and `offset` later."""

    every: timedelta
    offset: timedelta = timedelta(0)

    @classmethod
    def parse(cls, text: str, option: str = "--interval") -> Interval:
        """Of `30m`, or `30m/5m`: every 30 minutes, 5 minutes later.

        Raises:
            OptionError: It is no duration.
        """
        every, _, offset = text.partition("/")
        seconds = parse_duration(offset, option) if offset else 0
        return cls(timedelta(seconds=parse_duration(every, option)), timedelta(seconds=seconds))

    def to_proto(self) -> IntervalSpec:
        """As the server takes it."""
        made = IntervalSpec()
        made.interval.FromTimedelta(self.every)
        if self.offset:
            made.phase.FromTimedelta(self.offset)
        return made


@dataclass(frozen=True)
class Calendar:
    """Fields of a calendar with the values that fit, as the server reads them: `9`, `9-17/2`, `MON-FRI`, `*`."""

    fields: tuple[tuple[str, str], ...]

    @classmethod
    def parse(cls, text: str, option: str = "--calendar") -> Calendar:
        """Of `hour=9 minute=30`, or of a JSON object as the Temporal CLI takes it (`{"hour": "9"}`).

        Raises:
            OptionError: It has another form, or a field that there is not.
        """
        found = _json_fields(text, option) if text.lstrip().startswith("{") else _word_fields(text, option)
        unknown = [name for name in found if name not in FIELDS]
        if unknown or not found:
            raise OptionError(f"{option} {text!r} has no known field", details=unknown, hint=CALENDAR_HINT)
        return cls(tuple(found.items()))

    def to_proto(self) -> CalendarSpec:
        """As the server takes it; it fills in what is not there (minute 0, every day)."""
        return CalendarSpec(**dict(self.fields))

    def whole(self) -> Calendar:
        """The same for all day, all hour, all minute where these are not there: what is skipped is meant so."""
        return Calendar(tuple({**dict.fromkeys(("hour", "minute", "second"), "*"), **dict(self.fields)}.items()))


def _word_fields(text: str, option: str) -> dict[str, str]:
    pairs = [word.partition("=") for word in text.split()]
    if any(not equals for _, equals, _ in pairs):
        raise OptionError(f"{option} {text!r} is not a list of field=value", hint=CALENDAR_HINT)
    return {_snake(name): value for name, _, value in pairs}


def _json_fields(text: str, option: str) -> dict[str, str]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise OptionError(f"{option} {text!r} is not JSON: {error}", hint=CALENDAR_HINT) from None
    return {_snake(name): str(value) for name, value in found.items()}


def _snake(name: str) -> str:
    return "".join("_" + letter.lower() if letter.isupper() else letter for letter in name).replace("-", "_")


@dataclass(frozen=True)
class ScheduleSpec:
    """When a schedule is due: at all of these times but those of `skip`, from `start` to `end`. A day that is skipped
    is so from its first second to its last.

    `time_zone` (of the IANA database; UTC without one) is that of crons and calendars. With `jitter` each time is up
    to so much later, by chance.
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
        """Whether it is never due."""
        return not (self.intervals or self.crons or self.calendars)

    def texts(self) -> Iterator[str]:
        """What the user wrote that a server may refuse, a line each."""
        yield from (f"cron {cron}" for cron in self.crons)
        for name, calendars in (("calendar", self.calendars), ("skip", self.skip)):
            yield from (f"{name} {' '.join(map('='.join, each.fields))}" for each in calendars)
        yield from (f"interval {each.every}" + (f" + {each.offset}" if each.offset else "") for each in self.intervals)
        if self.time_zone:
            yield f"time zone {self.time_zone}"

    def to_proto(self, *, jitter: bool = True) -> ScheduleSpecProto:
        """As the server takes it.

        Raises:
            OptionError: The end is not later than the start.
        """
        if self.start and self.end and self.end <= self.start:
            raise OptionError(f"the schedule ends ({self.end}) before it starts ({self.start})")
        made = ScheduleSpecProto(
            interval=[each.to_proto() for each in self.intervals],
            cron_string=self.crons,
            calendar=[each.to_proto() for each in self.calendars],
            exclude_calendar=[each.whole().to_proto() for each in self.skip],
            timezone_name=self.time_zone or "",
        )
        if self.jitter and jitter:
            made.jitter.FromTimedelta(self.jitter)
        if self.start:
            made.start_time.FromDatetime(self.start)
        if self.end:
            made.end_time.FromDatetime(self.end)
        return made


DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


class _Range(Protocol):
    """From start to end in steps, both included."""

    start: int
    end: int
    step: int


def spec_text(spec: ScheduleSpecProto) -> str:
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


def _field(ranges: Sequence[_Range], low: int, high: int, names: Sequence[str] = ()) -> str:
    return ",".join(_range(each, low, high, names) for each in ranges)


def _range(one: _Range, low: int, high: int, names: Sequence[str]) -> str:
    def name(value: int) -> str:
        return names[value] if value < len(names) else str(value)

    step = f"/{one.step}" if one.step > 1 else ""
    end = max(one.start, one.end)
    if (one.start, end) == (low, high):
        return f"*{step}"
    return name(one.start) if one.start == end else f"{name(one.start)}-{name(end)}{step}"
