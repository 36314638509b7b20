"""When server or worker were down, the network cut or the database locked, and how soon the run made progress again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..scenario.result import RehearsalRun

LANES = ("server", "worker")
SHUT = {"network": ("cut",), "database": ("locked", "disk full")}
ON_ITS_WAY = 0.1  # seconds in which an attempt may still start whose task had left the server


@dataclass(frozen=True)
class Downtime:
    """A time without server, worker, network or database (`lane`): from `began` to `back` (None: it did not come back).

    `ended` says what happened to it (`killed`, `frozen`, `cut`, `locked`, ...). `recovery` is the time in seconds from
    its return to the next progress, without other outages in between; None if there was no progress.
    """

    lane: str
    began: float
    back: float | None
    ended: str
    recovery: float | None


def outages_of(run: RehearsalRun) -> list[Downtime]:
    """The outages of a run, by time."""
    gaps = sorted([*_shut(run), *(gap for lane in LANES for gap in _gaps(run, lane))], key=lambda gap: gap.began)
    down = union(spans_of(gaps, end_of(run)))
    moments = starts_of(run)
    return [Downtime(gap.lane, gap.began, gap.back, gap.ended, _recovery(gap, moments, down)) for gap in gaps]


def members_of(run: RehearsalRun) -> list[str]:
    """The lanes of the patient's members."""
    return list(dict.fromkeys(mark.lane for mark in run.marks if mark.detail.get("patient")))


def patient_outages_of(run: RehearsalRun) -> list[Downtime]:
    """When members of the patient were down, by time. The runbook's own progress says nothing about them."""
    shut = [mark for mark in run.marks if mark.detail.get("patient") and mark.detail.get("outage")]
    outages = [Downtime(mark.lane, mark.at, mark.until, mark.what, None) for mark in shut]
    lanes = set(members_of(run)) - {mark.lane for mark in shut}
    return sorted([*outages, *(gap for lane in lanes for gap in _gaps(run, lane))], key=lambda gap: gap.began)


def _gaps(run: RehearsalRun, lane: str) -> list[Downtime]:
    """When the lane was down between the runbook's start and end."""
    spans = [mark for mark in run.marks if mark.lane == lane]
    gaps = []
    end = end_of(run)
    for number, mark in enumerate(spans):
        if mark.until is None or mark.until >= end:
            continue
        later = [span.at for span in spans[number + 1 :] if span.at <= end]
        back = later[0] if later else None
        if back is None or back > run.started:
            gaps.append(Downtime(lane, max(mark.until, run.started), back, str(mark.detail.get("ended", "down")), None))
    return gaps


def _shut(run: RehearsalRun) -> list[Downtime]:
    """When a fault cut the network or blocked the database."""
    end = end_of(run)
    shut = [mark for mark in run.marks if mark.what.startswith(SHUT.get(mark.lane, ())) and mark.at < end]
    back = [mark.until if mark.until is not None and mark.until <= end else None for mark in shut]
    return [Downtime(mark.lane, mark.at, until, mark.what, None) for mark, until in zip(shut, back, strict=True)]


def _recovery(gap: Downtime, moments: Sequence[float], down: Sequence[Span]) -> float | None:
    if gap.back is None:
        return None
    back = gap.back
    if any(gap.began + ON_ITS_WAY < moment < back for moment in moments):
        return 0.0  # it started before we saw that the server is ready
    after = next((moment for moment in moments if moment >= back), None)
    return None if after is None else after - back - overlap((back, after), down)


def spans_of(outages: Iterable[Downtime], end: float) -> list[Span]:
    """The spans of outages, cut at the end of the run."""
    return [(outage.began, end if outage.back is None else min(outage.back, end)) for outage in outages]


def end_of(run: RehearsalRun) -> float:
    """When a run ended or reached its limit."""
    limit = [mark.at for mark in run.marks if mark.lane == "check" and mark.detail.get("limit")]
    last = limit or [mark.at for mark in run.marks]
    if run.seen_until is not None:
        return max([run.seen_until, run.started])
    return run.ended if run.ended is not None else max(last, default=run.started)


def starts_of(run: RehearsalRun) -> list[float]:
    """When attempts started and workflow tasks completed, by time: that takes both a server and a worker."""
    tasks = [mark.at for mark in run.marks if mark.lane == "event" and mark.what == "WorkflowTaskCompleted"]
    return sorted([*tasks, *(mark.at for mark in run.marks if mark.lane == "activity")])


def progress_of(run: RehearsalRun) -> list[float]:
    """The moments of progress, by time: those of `starts_of`, and when attempts completed."""
    attempts = [mark for mark in run.marks if mark.lane == "activity" and mark.detail.get("ended") == "completes"]
    return sorted([*starts_of(run), *(mark.until for mark in attempts if mark.until is not None)])


Span = tuple[float, float]


def union(spans: Iterable[Span]) -> list[Span]:
    """The same times as spans that do not overlap."""
    joined: list[Span] = []
    for begin, end in sorted(spans):
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        elif end > begin:
            joined.append((begin, end))
    return joined


def overlap(span: Span, others: Sequence[Span]) -> float:
    """How long a span overlaps with others, which do not overlap each other."""
    return sum(max(0.0, min(span[1], end) - max(span[0], begin)) for begin, end in others)
