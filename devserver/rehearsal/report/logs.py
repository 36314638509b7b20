"""The logs of server and worker around each fault and drill."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from ..patient.error_samples import risen
from ..scenario.result import RehearsalRun
from .text import clean

BEFORE_SECONDS = 2.0
AFTER_SECONDS = 5.0
MOST_LINES = 40
LAST_LINES = 20
MOST_FAULTS = 50
MOST_ERRORS = 20
TIME = re.compile(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)([.,]\d{1,9})?(Z|[+-]\d\d:?\d\d)?")

Line = dict[str, Any]


def around(run: RehearsalRun, faults: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each fault and drill: `what`, `at`, and lines of `server` and `worker` from 2 s before to 5 s after it.

    With a patient also the lines of its `members`, by name, and which of its `errors` were counted meanwhile.
    """
    logs = {"server": timed(run.server_log, run.began), "worker": timed(run.worker_log, run.began)}
    patient = run.patient
    of_members = {name: timed(lines, run.began) for name, lines in patient.logs.items()} if patient else {}
    found = []
    for fault in faults[:MOST_FAULTS]:
        since = fault["at"] - BEFORE_SECONDS
        until = (fault["at"] if fault["until"] is None else fault["until"]) + AFTER_SECONDS
        lines = {name: _between(log, since, until, fault["at"]) for name, log in logs.items()}
        members = {name: _between(log, since, until, fault["at"]) for name, log in of_members.items()}
        shown = {name: some for name, some in members.items() if some}
        errors = risen(patient.errors, fault["at"], until) if patient else {}
        about = {"members": shown, "errors": _most(errors)}
        found.append({"what": fault["what"], "at": fault["at"], **lines, **about})
    return found


def _most(errors: Mapping[str, float]) -> dict[str, float]:
    """The errors that were counted most often, in that order."""
    most = sorted(errors.items(), key=lambda item: -item[1])[:MOST_ERRORS]
    return {clean(name): count for name, count in most}


def last(run: RehearsalRun) -> dict[str, list[Line]]:
    """The last lines of both logs."""
    return {
        "server": timed(run.server_log, run.began)[-LAST_LINES:],
        "worker": timed(run.worker_log, run.began)[-LAST_LINES:],
    }


def timed(log: Sequence[str], began: datetime) -> list[Line]:
    """Lines with their times: `at` (seconds since the run's start) and `line`.

    A line without a time, such as a traceback's, has that of the line before it; None if there is none.
    """
    found: list[Line] = []
    at: float | None = None
    for text in log:
        line = clean(text, 400)
        at = _moment(line, began, at)
        found.append({"at": None if at is None else round(at, 3), "line": line})
    return found


def _moment(line: str, began: datetime, before: float | None) -> float | None:
    match = TIME.search(line[:200])
    if match is None:
        return before
    whole, fraction, zone = match.groups()
    try:
        moment = datetime.fromisoformat(whole.replace(" ", "T"))
        if zone and zone != "Z":
            moment = datetime.strptime(f"{whole.replace(' ', 'T')}{zone}", "%Y-%m-%dT%H:%M:%S%z")
        elif zone == "Z":
            moment = moment.replace(tzinfo=timezone.utc)
        return (moment - began).total_seconds() + float(f"0.{(fraction or '.0')[1:]}")
    except (ValueError, OverflowError):
        return before
    except TypeError:  # no time zone: local time, or UTC in the server's log
        return (moment.astimezone() - began).total_seconds() + float(f"0.{(fraction or '.0')[1:]}")


def _between(log: Sequence[Line], since: float, until: float, at: float) -> list[Line]:
    lines = [line for line in log if line["at"] is not None and since <= line["at"] <= until]
    if len(lines) <= MOST_LINES:
        return lines
    nearest = sorted(lines, key=lambda line: abs(line["at"] - at))[:MOST_LINES]
    return sorted(nearest, key=lambda line: float(line["at"]))
