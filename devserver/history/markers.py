"""What a marker records: a local activity, a version, a side effect, or something internal to the SDK.

Each SDK writes details of its own; docs/trace.md has a table of what is shown for which SDK.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from google.protobuf.json_format import ParseDict, ParseError
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.api.history.v1 import MarkerRecordedEventAttributes

from ..client.timestamps import EPOCH

# Marker names of local activities: in SDKs on the shared core, and in Go and Java.
LOCAL = ("core_local_activity", "LocalActivity")
PATCH, VERSION = "core_patch", "Version"
SIDE_EFFECTS = {"SideEffect": "side effect", "MutableSideEffect": "mutable side effect"}
ZERO = timedelta(0)
_read_json = json.JSONDecoder().raw_decode  # half the time of `json.loads`
UNVERSIONED = -1  # GetVersion of Go and Java: the code before the first version


class Marker(NamedTuple):
    """A marker as a step.

    Attributes:
        scheduled, completed: Of a local activity; None if the SDK does not record them. They are of different clocks:
            `TaskStarts` puts them together.
        timed: Whether the duration of a local activity is known.
    """

    kind: Literal["local_activity", "marker"]
    name: str
    id: str = ""
    attempts: int = 0
    scheduled: datetime | None = None
    completed: datetime | None = None
    input: Sequence[Payload] = ()
    result: Sequence[Payload] = ()
    timed: bool = True


class TaskStarts:
    """When the workflow tasks of a run started, in the order of its events."""

    def __init__(self) -> None:
        self._times: list[datetime] = []

    def add(self, at: datetime) -> None:
        """One more has started."""
        self._times.append(at)

    def end_of(self, marker: Marker, recorded: datetime) -> datetime:
        """When a local activity ended that was recorded then; its start is on the worker's clock.

        The shared core adds the duration of the last attempt to the workflow's time, which is that of the workflow
        task in which the activity began, not to the time at which it began. If there were several attempts, only the
        time of the record is known.
        """
        begun, completed = marker.scheduled, marker.completed
        if begun is None or completed is None or marker.attempts > 1 or not self._times:
            return recorded
        before = bisect_right(self._times, begun)
        took = completed - self._times[before - 1 if before else -1]
        return min(begun + took, recorded) if took >= ZERO else recorded


def read_marker(attributes: MarkerRecordedEventAttributes) -> Marker:
    """Read a marker. One that cannot be read has its name only."""
    name = attributes.marker_name
    if name in LOCAL:
        return _java_local(attributes) if "type" in attributes.details else _local(attributes)
    if name == PATCH:
        data = _data(attributes, "patch-data") or _data(attributes, "data")
        return Marker("marker", "patch", _text(data, "id") or _plain(attributes, "patch_id"))
    if name == VERSION:
        return Marker("marker", "version", _version(attributes))
    if name in SIDE_EFFECTS:
        return _side_effect(attributes)
    return Marker("marker", name, result=_payloads(attributes, "result") or _payloads(attributes, "data"))


def _local(attributes: MarkerRecordedEventAttributes) -> Marker:
    """A local activity of the shared core, or of Go, which does not record when it started."""
    data = _data(attributes, "data")
    scheduled, completed = _time(data.get("original_schedule_time")), _time(data.get("complete_time"))
    return Marker(
        "local_activity",
        _text(data, "activity_type", "ActivityType") or "local activity",
        _text(data, "activity_id", "ActivityID"),
        _number(data, "attempt", "Attempt") or 1,
        scheduled,
        completed,
        result=_payloads(attributes, "result"),
        timed=scheduled is not None and completed is not None,
    )


def _java_local(attributes: MarkerRecordedEventAttributes) -> Marker:
    """A local activity of Java: it records when it was scheduled, and its end by another clock."""
    meta = _data(attributes, "meta")
    return Marker(
        "local_activity",
        _plain(attributes, "type") or "local activity",
        _plain(attributes, "activityId"),
        _number(meta, "atpt") or 1,
        _milliseconds(meta.get("firstSkd")),
        input=_payloads(attributes, "input"),
        result=_payloads(attributes, "result"),
        timed=False,
    )


def _version(attributes: MarkerRecordedEventAttributes) -> str:
    """`change = 4`; the number alone of a Java marker without an id."""
    change = _plain(attributes, "change-id") or _plain(attributes, "changeId")
    number = _plain(attributes, "version")
    number = "default" if number == str(UNVERSIONED) else number
    return f"{change} = {number}" if change and number else change or number


def _side_effect(attributes: MarkerRecordedEventAttributes) -> Marker:
    name = SIDE_EFFECTS[attributes.marker_name]
    values = _payloads(attributes, "data")
    key = _plain(attributes, "id")
    if attributes.marker_name == "MutableSideEffect" and len(values) == 2 and not key:  # Go: the id, then the value
        key, values = _read(values[0]), _inner(values[1])
    return Marker("marker", name, key, result=values)


def _inner(payload: Payload) -> Sequence[Payload]:
    """The value in payloads that Go has written as JSON; the payload itself if it is something else."""
    try:
        return ParseDict(json.loads(payload.data), Payloads()).payloads
    except (ParseError, ValueError, RecursionError, AttributeError, TypeError):
        return (payload,)


def _payloads(attributes: MarkerRecordedEventAttributes, key: str) -> Sequence[Payload]:
    return attributes.details[key].payloads if key in attributes.details else ()


def _data(attributes: MarkerRecordedEventAttributes, key: str) -> dict[str, Any]:
    details = attributes.details
    if key not in details:
        return {}
    try:
        read, _ = _read_json(str(details[key].payloads[0].data, "utf-8").strip())
    except (ValueError, IndexError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}


def _plain(attributes: MarkerRecordedEventAttributes, key: str) -> str:
    values = _payloads(attributes, key)
    return _read(values[0]) if values else ""


def _read(payload: Payload) -> str:
    try:
        return str(json.loads(payload.data))
    except (ValueError, RecursionError):
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
    return _after_epoch(seconds=seconds, microseconds=nanos // 1000)


def _milliseconds(value: object) -> datetime | None:
    """Milliseconds since 1970, as Java writes them; None for anything else."""
    return _after_epoch(milliseconds=value) if isinstance(value, int) and value > 0 else None


def _after_epoch(**parts: int) -> datetime | None:
    try:
        return EPOCH + timedelta(**parts)
    except OverflowError:
        return None
