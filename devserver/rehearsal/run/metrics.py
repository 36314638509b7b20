"""The metrics of a run: downtime, recovery, idle time, repeated effects, lost signals."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from temporalio.api.enums.v1 import EventType

from ..ledger import Effect
from ..scenario.result import RehearsalRun
from .downtime import LANES, Downtime, Span, end_of, outages_of, overlap, progress_of, spans_of, union

if TYPE_CHECKING:
    from temporalio.client import WorkflowHistory


@dataclass(frozen=True)
class Duplicate:
    """An effect that happened more than once: `at` are the times, `attempts` those of the activity (None: a script)."""

    name: str
    key: str
    activity: str | None
    at: Sequence[float]
    attempts: Sequence[int | None]


@dataclass(frozen=True)
class LostSignal:
    """A drill's signal that the server had acknowledged `at`, and why it counts as lost."""

    name: str
    at: float
    why: str


@dataclass(frozen=True)
class RunMetrics:
    """The metrics of one run; times are seconds since the run's start, durations seconds of the wall clock.

    Progress is an attempt of an activity that starts or completes, or a workflow task that completes. `idle` is the
    longest time without progress between the runbook's start and end, pauses excluded; it began at `idle_from`.
    `recovery` is the longest of all outages: None if there was no outage, or no progress after one of them. `downtime`
    is how long server or worker were down. `attempts` counts attempts by activity type, `most_attempts` those of the
    one activity that needed most. `signals` counts the signals of drills that the server acknowledged.
    """

    downtime: float
    outages: Sequence[Downtime]
    recovery: float | None
    idle: float
    idle_from: float
    attempts: Mapping[str, int]
    most_attempts: int
    duplicates: Sequence[Duplicate]
    signals: int
    lost_signals: Sequence[LostSignal]

    @classmethod
    def of(cls, run: RehearsalRun) -> RunMetrics:
        """The metrics of a run, from its marks, its ledger and its histories."""
        outages = outages_of(run)
        down = [outage for outage in outages if outage.lane in LANES]
        idle, since = _idle(run)
        attempts = [mark for mark in run.marks if mark.lane == "activity"]
        each = Counter((mark.detail.get("workflow_id"), mark.detail.get("id")) for mark in attempts)
        recoveries = [outage.recovery for outage in outages]
        known = [seconds for seconds in recoveries if seconds is not None]
        sent = _signals(run)
        return cls(
            downtime=sum(b - a for a, b in union(spans_of(down, end_of(run)))),
            outages=outages,
            recovery=max(known) if known and len(known) == len(recoveries) else None,
            idle=idle,
            idle_from=since,
            attempts=dict(Counter(mark.what for mark in attempts)),
            most_attempts=max(each.values(), default=0),
            duplicates=_duplicates(run),
            signals=len(sent),
            lost_signals=[LostSignal(name, at, why) for name, at, why in sent if why],
        )


# Idleness


def _idle(run: RehearsalRun) -> tuple[float, float]:
    """The longest time without progress, and when it began."""
    end = end_of(run)
    moments = [run.started, *(item for item in progress_of(run) if run.started <= item <= end), end]
    paused = _paused(run)
    gaps = [(b - a - overlap((a, b), paused), a) for a, b in pairwise(moments)]
    return max(gaps, key=lambda gap: gap[0])


def _paused(run: RehearsalRun) -> list[Span]:
    spans: list[Span] = []
    since = None
    for mark in run.marks:
        if mark.lane == "event" and mark.what == "WorkflowExecutionPaused":
            since = mark.at
        elif mark.lane == "event" and mark.what == "WorkflowExecutionUnpaused" and since is not None:
            spans.append((since, mark.at))
            since = None
    return spans if since is None else [*spans, (since, end_of(run))]


# Effects and signals


def _duplicates(run: RehearsalRun) -> list[Duplicate]:
    by_name: dict[tuple[str, str], list[Effect]] = defaultdict(list)
    for effect in run.effects:
        by_name[effect.name, effect.key].append(effect)
    began = run.began.timestamp()
    return [
        Duplicate(name, key, all_[0].activity, [item.at - began for item in all_], [item.attempt for item in all_])
        for (name, key), all_ in by_name.items()
        if len(all_) > 1
    ]


def _signals(run: RehearsalRun) -> list[tuple[str, float, str]]:
    """Each acknowledged signal of a drill: its name, when, and why it is lost (empty: it is not).

    Each signal has an identity of its own, which is in the history.
    """
    sent = [mark for mark in run.marks if mark.lane == "drill" and "signal" in mark.detail]
    return [
        (str(mark.detail["signal"]), mark.at, why_lost(run.histories, str(mark.detail["identity"]))) for mark in sent
    ]


def why_lost(histories: Sequence[WorkflowHistory], identity: str) -> str:
    """Why the signal with this identity counts as lost; empty if it does not.

    It is not lost if a history contains it, and a workflow task that started after it has completed.
    """
    for history in histories:
        found = [
            event.event_id
            for event in history.events
            if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
            and event.workflow_execution_signaled_event_attributes.identity == identity
        ]
        if found:
            taken = any(
                event.workflow_task_completed_event_attributes.started_event_id > found[0]
                for event in history.events
                if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
            )
            return "" if taken else "it is in the history, but no workflow task has delivered it to the runbook"
    return "it is not in the history"
