"""What a marker records: a local activity, a version patch, a side effect, or something internal to the SDK."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from temporalio.api.common.v1 import Payload
from temporalio.api.history.v1 import MarkerRecordedEventAttributes

from ..client.timestamps import EPOCH

# Marker names of local activities: in SDKs on the shared core, and in Go and Java.
LOCAL = ("core_local_activity", "LocalActivity")
PATCH = ("core_patch", "Version")


class Marker(NamedTuple):
    """A marker as a step. `scheduled` and `completed` are None if the SDK does not record them."""

    kind: Literal["local_activity", "marker"]
    name: str
    id: str = ""
    attempts: int = 0
    scheduled: datetime | None = None
    completed: datetime | None = None
    result: Sequence[Payload] = ()


def read_marker(attributes: MarkerRecordedEventAttributes) -> Marker:
    """Read a marker. One that cannot be read has its name only."""
    name, details = attributes.marker_name, attributes.details
    data = _data(attributes, "data") or _data(attributes, "patch-data")
    result = details["result"].payloads if "result" in details else ()
    if name in LOCAL:
        return Marker(
            "local_activity",
            _text(data, "activity_type", "ActivityType") or "local activity",
            _text(data, "activity_id", "ActivityID"),
            _number(data, "attempt", "Attempt") or 1,
            _time(data.get("original_schedule_time")),
            _time(data.get("complete_time")),
            result,
        )
    if name in PATCH:
        return Marker("marker", "patch", _text(data, "id") or _plain(attributes, "change-id"))
    return Marker("marker", name, result=result)


def _data(attributes: MarkerRecordedEventAttributes, key: str) -> dict[str, Any]:
    details = attributes.details
    if key not in details:
        return {}
    try:
        read = json.loads(str(details[key].payloads[0].data, "utf-8"))  # json would guess the encoding of bytes
    except (ValueError, IndexError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}


def _plain(attributes: MarkerRecordedEventAttributes, key: str) -> str:
    try:
        return str(json.loads(attributes.details[key].payloads[0].data)) if key in attributes.details else ""
    except (ValueError, IndexError, RecursionError):
        return ""


def _text(data: dict[str, Any], *keys: str) -> str:
    for key in keys:  # no generator: there are very many markers
        if key in data:
            return str(data[key])
    return ""


def _number(data: dict[str, Any], *keys: str) -> int:
    for key in keys:
        if key in data:
            return data[key] if isinstance(data[key], int) else 0
    return 0


def _time(value: object) -> datetime | None:
    """A time stamp as the shared core writes it; None for anything else."""
    if not isinstance(value, dict):
        return None
    seconds, nanos = value.get("seconds"), value.get("nanos")
    if not isinstance(seconds, int) or not isinstance(nanos, int):
        return None
    try:
        return EPOCH + timedelta(seconds=seconds, microseconds=nanos // 1000)
    except OverflowError:
        return None
