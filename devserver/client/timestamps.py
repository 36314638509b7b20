"""Conversions between Protobuf's time stamps and durations and Python's."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
MICROSECONDS = 1_000_000


def to_datetime(stamp: Timestamp) -> datetime:
    """A server's time stamp in UTC, to the microsecond: as `Timestamp.ToDatetime`, in a quarter of the time."""
    return EPOCH + timedelta(0, stamp.seconds, stamp.nanos // 1000)


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
