"""One run as plain data; of a long run, what was omitted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...system.printable import counted
from ..patient.record import PatientRecord
from ..run.downtime import members_of, patient_outages_of, spans_of, union
from ..run.metrics import RunMetrics
from ..scenario.result import RehearsalRun
from . import logs, serialization
from .attempts import activities, last_moment, troubled
from .text import clean

MOST_MARKS = 10_000
MOST_EFFECTS = 5_000
MOST_ACTIVITIES = 2_000

# Omitted first in a long run.
_LAST_WORTH = ("event", "log", "effect")

NO_RUN: Mapping[str, Any] = {
    "began": None,
    "seconds": None,
    "status": None,
    "failure": None,
    "output": None,
    "workflow_id": None,
    "metrics": None,
    "plan": [],
    "faults": [],
    "outages": [],
    "patient": None,
    "activities": [],
    "effects": [],
    "repeated_effects": [],
    "timeline": {"started": 0.0, "end": 0.0, "marks": []},
    "logs": {"around": [], "last": {"server": [], "worker": []}},
    "stuck": [],
    "omitted": [],
}


def run_data(run: RehearsalRun) -> dict[str, Any]:
    """Everything that a report shows of a run; the keys are those of `NO_RUN`."""
    began = run.began.timestamp()
    metrics = RunMetrics.of(run)
    rows = activities(run)
    faults = [
        serialization.mark(mark)
        for mark in run.marks
        if mark.lane in ("fault", "drill") and "signal" not in mark.detail
    ]
    kept = sorted(run.marks, key=lambda mark: mark.lane in _LAST_WORTH)[:MOST_MARKS]
    marks = [serialization.mark(mark) for mark in sorted(kept, key=lambda mark: mark.at)]
    return {
        "began": run.began.isoformat(timespec="milliseconds"),
        "seconds": run.seconds,
        "status": clean(run.status),
        "failure": None if run.failure is None else clean(run.failure),
        "output": serialization.output(run.output),
        "workflow_id": clean(run.workflow_id),
        "metrics": _figures(run, metrics, rows),
        "plan": [serialization.step_result(step) for step in run.steps],
        "faults": faults,
        "outages": [serialization.outage(outage, faults) for outage in [*metrics.outages, *patient_outages_of(run)]],
        "patient": None if run.patient is None else _patient(run.patient, members_of(run)),
        "activities": _worst_first(rows)[:MOST_ACTIVITIES],
        "effects": [serialization.effect(effect, began) for effect in run.effects[:MOST_EFFECTS]],
        "repeated_effects": [
            serialization.repeated(duplicate, faults) for duplicate in metrics.duplicates[:MOST_EFFECTS]
        ],
        "timeline": {"started": run.started, "end": last_moment(run), "marks": marks},
        "logs": {"around": logs.around(run, faults), "last": logs.last(run)},
        "stuck": [clean(line) for line in run.stuck[: serialization.MOST_DETAILS]],
        "omitted": _omitted(run, len(rows), len(faults)),
    }


def _figures(run: RehearsalRun, metrics: RunMetrics, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    down = {}
    for lane in ("server", "worker"):
        spans = spans_of([outage for outage in metrics.outages if outage.lane == lane], last_moment(run))
        down[lane] = sum(end - begin for begin, end in union(spans))
    return {
        "server_down_seconds": down["server"],
        "worker_down_seconds": down["worker"],
        "downtime_seconds": metrics.downtime,
        "recovery_seconds": metrics.recovery,
        "idle_seconds": metrics.idle,
        "idle_from": metrics.idle_from,
        "activities": len(rows),
        "attempts": sum(metrics.attempts.values()),
        "most_attempts": metrics.most_attempts,
        "effects": len(run.effects),
        "duplicate_effects": sum(len(duplicate.at) - 1 for duplicate in metrics.duplicates),
        "signals": metrics.signals,
        "lost_signals": [
            {"name": clean(signal.name), "at": signal.at, "why": clean(signal.why)} for signal in metrics.lost_signals
        ],
    }


def _patient(record: PatientRecord, members: Sequence[str]) -> dict[str, Any]:
    acknowledged = [call.acknowledged for call in record.calls if call.acknowledged is not None]
    completed = [call.completed for call in record.calls if call.completed is not None]
    gaps = {"acknowledged": acknowledged, "completed": completed}
    return {
        "cluster": record.cluster,
        "members": list(members),
        "problem": None if record.problem is None else clean(record.problem),
        "starts": len(record.calls),
        "signals": sum(call.signaled for call in record.calls),
        "updates": sum(call.updated for call in record.calls),
        "schedules": sum(call.acknowledged is not None for call in record.schedules),
        **{
            key: {"count": len(moments), "at": sorted(moments)[:MOST_MARKS], "gap": _gap(record, moments)}
            for key, moments in gaps.items()
        },
    }


def _gap(record: PatientRecord, moments: Sequence[float]) -> dict[str, float]:
    length, begin = record.longest_gap(moments)
    return {"seconds": length, "from": begin}


def _worst_first(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """All by time; if there are too many, those with problems come first."""
    if len(rows) <= MOST_ACTIVITIES:
        return list(rows)
    return sorted(rows, key=lambda each: not troubled(each))


def _omitted(run: RehearsalRun, rows: int, faults: int) -> list[str]:
    over = [
        (len(run.marks), MOST_MARKS, "mark", "marks", "history events, log lines and effects first"),
        (len(run.effects), MOST_EFFECTS, "effect", "effects", "the last ones; repeated effects are complete"),
        (rows, MOST_ACTIVITIES, "activity", "activities", "those that completed at their first attempt"),
        (faults, logs.MOST_FAULTS, "fault's log", "faults' logs", "the last ones"),
    ]
    return [
        f"{counted(found - most, one, many)} of {found:,} omitted: {which}"
        for found, most, one, many, which in over
        if found > most
    ]
