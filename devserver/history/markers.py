"""What a marker records: a local activity, a version, a side effect, or something internal to the SDK.

Each SDK writes details of its own; docs/trace.md has a table of what is shown for which SDK.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from temporalio.api.common.v1 import Payload, Payloads
from temporalio.api.history.v1 import MarkerRecordedEventAttributes

from ..client.timestamps import EPOCH

# Marker names of local activities: in SDKs on the shared core, and in Go and Java.
CORE_LOCAL, LOCAL = "core_local_activity", "LocalActivity"
PATCH, VERSION = "core_patch", "Version"
SIDE_EFFECTS = {"SideEffect": "side effect", "MutableSideEffect": "mutable side effect"}
ZERO = timedelta(0)
_scan_json = json.JSONDecoder().scan_once  # type: ignore[attr-defined] # half the time of `loads`
Details = Mapping[str, Payloads]
_new_marker = tuple.__new__
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
    input: Payloads | None = None
    result: Payloads | None = None
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
    name, details = attributes.marker_name, attributes.details
    if name == CORE_LOCAL:
        return _local(details)
    if name == LOCAL:
        return _java_local(details) if "type" in details else _local(details)
    if name == PATCH:
        data = _data(details, "patch-data") or _data(details, "data")
        return Marker("marker", "patch", str(data.get("id", "")) or _plain(details, "patch_id"))
    if name == VERSION:
        return Marker("marker", "version", _version(details))
    if name in SIDE_EFFECTS:
        return _side_effect(name, details)
    return Marker("marker", name, result=details.get("result") or details.get("data"))


def _local(details: Details) -> Marker:
    """A local activity of the shared core, or of Go, which does not record when it started."""
    of = _data(details, "data").get
    kind = of("activity_type") or of("ActivityType") or "local activity"
    number = of("activity_id") or of("ActivityID") or ""
    attempt = of("attempt") or of("Attempt")
    attempts = attempt if isinstance(attempt, int) and attempt else 1
    scheduled, completed = of("original_schedule_time"), of("complete_time")
    begun, ended = _time(scheduled) if scheduled else None, _time(completed) if completed else None
    timed = begun is not None and ended is not None
    # There are very many local activities, and `Marker(...)` takes three times as long.
    parts = ("local_activity", str(kind), str(number), attempts, begun, ended, None, details.get("result"), timed)
    return _new_marker(Marker, parts)


def _java_local(details: Details) -> Marker:
    """A local activity of Java: it records when it was scheduled, and its end by another clock."""
    meta = _data(details, "meta")
    attempt = meta.get("atpt")
    return Marker(
        "local_activity",
        _plain(details, "type") or "local activity",
        _plain(details, "activityId"),
        attempt if isinstance(attempt, int) and attempt else 1,
        _milliseconds(meta.get("firstSkd")),
        input=details.get("input"),
        result=details.get("result"),
        timed=False,
    )


def _version(details: Details) -> str:
    """`change = 4`; the number alone of a Java marker without an id."""
    change = _plain(details, "change-id") or _plain(details, "changeId")
    number = _plain(details, "version")
    number = "default" if number == str(UNVERSIONED) else number
    return f"{change} = {number}" if change and number else change or number


def _side_effect(marker_name: str, details: Details) -> Marker:
    name = SIDE_EFFECTS[marker_name]
    found = details.get("data")
    key = _plain(details, "id")
    if marker_name == "MutableSideEffect" and found is not None and len(found.payloads) == 2 and not key:
        key, found = _read(found.payloads[0]), _inner(found.payloads[1])  # Go: the id, then the value
    return Marker("marker", name, key, result=found)


def _inner(payload: Payload) -> Payloads:
    """The value in payloads that Go has written as JSON; the payload itself if it is something else."""
    from google.protobuf.json_format import ParseDict, ParseError  # takes as long to import as all the rest here

    try:
        return ParseDict(json.loads(payload.data), Payloads())
    except (ParseError, ValueError, RecursionError, AttributeError, TypeError):
        return Payloads(payloads=[payload])


def _data(details: Details, key: str) -> dict[str, Any]:
    found = details.get(key)
    if found is None:
        return {}
    try:
        text = found.payloads[0].data.decode()
        read, _ = _scan_json(text if text[:1] == "{" else text.strip(), 0)
    except (ValueError, IndexError, RecursionError, StopIteration):  # the last: no JSON at all
        return {}
    return read if isinstance(read, dict) else {}


def _plain(details: Details, key: str) -> str:
    found = details.get(key)
    return _read(found.payloads[0]) if found is not None and found.payloads else ""


def _read(payload: Payload) -> str:
    try:
        return str(json.loads(payload.data))
    except (ValueError, RecursionError):
        return ""


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
