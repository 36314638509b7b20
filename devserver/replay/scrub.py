"""Removes from a recorded history what differs from run to run, so that its file does not change."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

UUID = re.compile(
    r"(?<![0-9a-fA-F])(?:[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{32})(?![0-9a-fA-F])"
)
TIME = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?Z$")
EPOCH = datetime(2000, 1, 1, tzinfo=timezone.utc)
# Neither a workflow nor its replay reads these.
DROPPED = frozenset(
    {
        "taskId",
        "requestId",
        "binaryChecksum",
        "meteringMetadata",
        "links",
        "principal",
        "historySizeBytes",
        "firstWorkflowTaskBackoff",
        "timeSkippingStatePropagation",
        "targetTime",
        "wallClockTime",
    }
)
BLANK = frozenset({"identity", "stackTrace", "sdkVersion", "sdkName", "lastWorkerIdentity", "workerVersion"})


class Scrubber:
    """Scrubs the histories of one test; equal ids stay equal.

    `replacements` has further texts that differ from run to run, and what replaces each. Without `thorough`, ids and
    times are kept: a workflow may have used them as a seed of randomness or to decide.
    """

    def __init__(self, replacements: Mapping[str, str], *, thorough: bool = True) -> None:
        self._replacements = sorted(replacements.items(), key=lambda pair: -len(pair[0]))
        self._thorough = thorough
        self._ids: dict[str, str] = {}
        self._began: datetime | None = None

    def history(self, history: Mapping[str, Any]) -> dict[str, Any]:
        """A history as JSON. Its time starts in the year 2000 and advances by its timers only."""
        self._began = None
        scrubbed: dict[str, Any] = self._scrub(dict(history))
        if self._thorough:
            _run_by_timers(scrubbed.get("events", []))
        return scrubbed

    def text(self, text: str) -> str:
        """A text without what differs from run to run."""
        for old, new in self._replacements:
            text = text.replace(old, new)
        return UUID.sub(lambda found: self._id(found.group(0)), text) if self._thorough else text

    def _scrub(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._scrub(entry) for entry in (sorted(value) if _are_numbers(value) else value)]
        if isinstance(value, str):
            return self._time(value) or self.text(value)
        if not isinstance(value, dict) or _is_payload(value):
            return value
        if value.get("kind") == "TASK_QUEUE_KIND_STICKY":
            return {"name": "sticky", "kind": value["kind"], "normalName": self.text(value.get("normalName", ""))}
        return {key: self._field(key, each) for key, each in value.items() if key not in DROPPED or _is_payload(each)}

    def _field(self, key: str, value: Any) -> Any:
        if _is_payload(value):
            return value
        return type(value)() if key in BLANK else self._scrub(value)

    def _time(self, text: str) -> str | None:
        found = TIME.match(text)
        if found is None or not self._thorough:
            return None
        fraction = float(found.group(2) or 0)
        time = datetime.fromisoformat(found.group(1)).replace(tzinfo=timezone.utc) + timedelta(seconds=fraction)
        self._began = self._began or time
        passed = timedelta(seconds=round((time - self._began).total_seconds()))
        return _written(EPOCH + passed)

    def _id(self, found: str) -> str:
        plain = found.replace("-", "").lower()
        number = self._ids.setdefault(plain, f"000000000000400080000000{len(self._ids) + 1:08x}")
        if "-" not in found:
            return number
        return "-".join((number[:8], number[8:12], number[12:16], number[16:20], number[20:]))


def _is_payload(value: Any) -> bool:
    """Whether a value is the user's, under whatever name: of a memo's field, a header, a search attribute."""
    return isinstance(value, dict) and "metadata" in value


def _are_numbers(values: list[Any]) -> bool:
    """Whether a list is one of the SDK's sets of flags, which have no order."""
    return all(isinstance(value, int) for value in values)


def _run_by_timers(events: list[dict[str, Any]]) -> None:
    """Give the events the times that they would have if nothing but timers took time."""
    now = EPOCH
    ends: dict[str, datetime] = {}
    for event in events:
        started = event.get("timerStartedEventAttributes")
        if started is not None:
            ends[event["eventId"]] = now + timedelta(seconds=float(started.get("startToFireTimeout", "0s")[:-1]))
        fired = event.get("timerFiredEventAttributes")
        if fired is not None:
            now = max(now, ends.get(fired.get("startedEventId", ""), now))
        event["eventTime"] = _written(now)


def _written(time: datetime) -> str:
    return time.isoformat().replace("+00:00", "Z")
