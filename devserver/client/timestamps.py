"""Conversions between Protobuf's time stamps and durations and Python's."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from functools import lru_cache

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
MICROSECONDS = 1_000_000


def to_datetime(stamp: Timestamp) -> datetime:
    """A server's time stamp in UTC, to the microsecond: as `Timestamp.ToDatetime`, in a tenth of the time."""
    year, month, day, hour, minute, second = _to_the_second(stamp.seconds)
    return datetime(year, month, day, hour, minute, second, stamp.nanos // 1000, timezone.utc)


@lru_cache(maxsize=256)  # events of a history come many to a second
def _to_the_second(seconds: int) -> tuple[int, int, int, int, int, int]:
    when = EPOCH + timedelta(0, seconds)
    return when.year, when.month, when.day, when.hour, when.minute, when.second


def to_datetime_or_none(stamp: Timestamp) -> datetime | None:
    """As `to_datetime`; None for a time stamp that is not set."""
    return to_datetime(stamp) if stamp.seconds or stamp.nanos else None


def to_microseconds(stamp: Timestamp) -> int:
    """A server's time stamp as microseconds since 1970."""
    return stamp.seconds * MICROSECONDS + stamp.nanos // 1000


def to_timedelta(duration: Duration) -> timedelta:
    """A server's duration, to the microsecond."""
    return timedelta(seconds=duration.seconds, microseconds=duration.nanos // 1000)


def to_timestamp(when: datetime) -> Timestamp:
    """A time stamp for the server; `when` has a time zone."""
    stamp = Timestamp()
    stamp.FromDatetime(when.astimezone(timezone.utc))
    return stamp
