"""The schedules in a database file, as the server's lists show them."""

from __future__ import annotations

import json
import sqlite3
from calendar import timegm
from collections.abc import Iterator
from dataclasses import dataclass
from time import gmtime, strftime, strptime

from .overdue import OverdueSchedule
from .protobuf import Message

PREFIX = "temporal-sys-scheduler:"
WORKFLOW_SCHEDULER = "TemporalScheduler"
CHASM_SCHEDULER = "403648407"  # the server derives it from the name of its newer scheduler


@dataclass(frozen=True)
class StoredSchedule:
    """A schedule that is not paused; `times` are its next scheduled times when it last acted, as epoch seconds."""

    namespace_id: str
    schedule_id: str
    run_id: str
    times: tuple[float, ...]

    def overdue(self, namespace: str, now: float, least: float) -> OverdueSchedule | None:
        """What it missed, if it is overdue by at least `least` seconds."""
        past = [when for when in self.times if when <= now]
        if not past or past[0] > now - least:
            return None
        missed, exact = len(past), len(past) < len(self.times)
        if not exact and past[-1] > past[0]:
            missed += int((now - past[-1]) * (len(past) - 1) / (past[-1] - past[0]))
        since = strftime("%Y-%m-%dT%H:%M:%SZ", gmtime(past[0]))
        return OverdueSchedule(namespace, self.schedule_id, since, missed, exact)


def stored_schedules(connection: sqlite3.Connection, namespace_id: str) -> Iterator[StoredSchedule]:
    """The open schedules of a namespace that are not paused."""
    rows = connection.execute(
        "SELECT workflow_id, run_id, memo FROM executions_visibility "
        "WHERE namespace_id = ? AND status = 1 AND TemporalNamespaceDivision IN (?, ?)",
        (namespace_id, WORKFLOW_SCHEDULER, CHASM_SCHEDULER),
    )
    for workflow_id, run_id, memo in rows:
        paused, times = _state(memo or b"")
        if not paused:
            yield StoredSchedule(namespace_id, workflow_id.removeprefix(PREFIX), run_id, times)


def _state(memo: bytes) -> tuple[bool, tuple[float, ...]]:
    """Whether a schedule is paused, and its next times. A new one has no search attributes yet that would say so."""
    for entry in map(Message, Message(memo).all(1)):
        data = Message(entry.data(2)).data(2)
        if entry.text(1) == "ScheduleInfo":
            info = Message(data)
            times = (time.number(1) + time.number(2) / 1e9 for time in map(Message, info.all(6)))
            return bool(info.number(4)), tuple(times)
        if entry.text(1) == "__chasm__":
            found = json.loads(data)
            times = (timegm(strptime(text[:19], "%Y-%m-%dT%H:%M:%S")) for text in found.get("futureActionTimes", ()))
            return bool(found.get("paused")), tuple(times)
    return False, ()
