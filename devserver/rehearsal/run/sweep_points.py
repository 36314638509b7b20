"""The points of a sweep: each event of a history, and each attempt of an activity, also in child workflows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from ...history import event_name
from ..scenario import at
from ..scenario.plan import Moment
from ..scenario.result import RehearsalRun, Target
from ..scenario.timeline import Mark


@dataclass(frozen=True)
class SweepPoint:
    """A point to try: right after `event`, or at `what`."""

    event: int
    what: str
    moment: Moment
    folder: str


@dataclass(frozen=True)
class ActivityAttempt:
    """An attempt of an activity, and its number among the starts and completions of its type."""

    mark: Mark
    start: int
    answer: int | None

    @property
    def key(self) -> tuple[str, int]:
        """Activity id and attempt, as in the history."""
        return str(self.mark.detail["id"]), int(self.mark.detail["attempt"])


def points_of(events: Sequence[HistoryEvent], attempts: Sequence[ActivityAttempt] = ()) -> list[SweepPoint]:
    """The points of a history: one for each event, and one for each activity that has acted but not reported it yet.

    The server records an activity's start only when it has ended, so the worker announces these two moments.
    `attempts` are those of this history; they give the number of each attempt among all of its type.
    """
    scheduled = {
        event.event_id: event.activity_task_scheduled_event_attributes
        for event in events
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
    }
    completed = {
        event.activity_task_completed_event_attributes.started_event_id
        for event in events
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED
    }
    known = {attempt.key: attempt for attempt in attempts}
    counts: Counter[tuple[str, str]] = Counter()
    points = []
    for event in events:
        number, folder = event.event_id, f"event-{event.event_id}"
        if event.event_type != EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
            points.append(SweepPoint(number, event_name(event.event_type), at.event_id(number), folder))
            continue
        started = event.activity_task_started_event_attributes
        of = scheduled[started.scheduled_event_id]
        name = of.activity_type.name
        counts["starts", name] += started.attempt  # a moment counts every attempt, the history only has the last one
        counts["completes", name] += number in completed
        attempt = known.get((of.activity_id, started.attempt))
        start = attempt.start if attempt else counts["starts", name]
        answer = attempt.answer if attempt else counts["completes", name]
        points.append(
            SweepPoint(number, f"{event_name(event.event_type)} ({name})", at.activity_starts(name, start), folder)
        )
        if number in completed and answer:
            acted = f"{name} has acted, but not reported it yet"
            points.append(SweepPoint(number, acted, at.activity_completes(name, answer), f"{folder}-acted"))
    return points


def points_of_run(run: RehearsalRun) -> list[SweepPoint]:
    """The points of a run: those of its first history, and attempts of activities that are not in it.

    These are activities of child workflows and of later runs, local activities, and attempts that were retried.
    """
    if not run.histories:
        return []
    events = run.histories[0].events
    attempts = _attempts(run.marks)
    own: dict[tuple[str, int], ActivityAttempt] = {}
    for item in attempts:
        if item.mark.detail["workflow_id"] == run.workflow_id:
            own.setdefault(item.key, item)  # a continued run counts again
    started = set()
    for event in events:
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
            last = event.activity_task_started_event_attributes
            of = events[last.scheduled_event_id - 1].activity_task_scheduled_event_attributes
            started.add((of.activity_id, last.attempt))
    there = [each for key, each in own.items() if key in started]
    elsewhere = [attempt for attempt in attempts if attempt not in there]
    seen = [mark for mark in run.marks if mark.lane == "event"]
    first = [mark for mark in seen if mark.detail["run"] == seen[0].detail["run"]]
    more = [point for number, each in enumerate(elsewhere) for point in _around(run, first, number, each)]
    return sorted([*points_of(events, there), *more], key=lambda point: point.event)


def _around(run: RehearsalRun, first: Sequence[Mark], number: int, attempt: ActivityAttempt) -> list[SweepPoint]:
    """The points of an attempt that is not in the first history (events: `first`): its start, and its completion."""
    name, workflow = attempt.mark.what, str(attempt.mark.detail["workflow_id"])
    event = max((mark.detail["id"] for mark in first if mark.at <= attempt.mark.at), default=1)
    where = f" of {workflow}" if workflow != run.workflow_id else ""
    what = f"{name}{where} (attempt {attempt.key[1]})"
    folder = f"elsewhere-{number}"
    points = [SweepPoint(event, f"{what} starts", at.activity_starts(name, attempt.start), folder)]
    if attempt.answer:
        moment = at.activity_completes(name, attempt.answer)
        points.append(SweepPoint(event, f"{what} has acted, but not reported it yet", moment, f"{folder}-acted"))
    return points


def _attempts(marks: Sequence[Mark]) -> list[ActivityAttempt]:
    """All attempts of a timeline, with the numbers by which moments count them."""
    acts = [mark for mark in marks if mark.lane == "activity"]
    ended = [mark for mark in acts if mark.detail.get("ended") == "completes"]
    answers: dict[int, int] = {}
    counts: Counter[str] = Counter()
    for mark in sorted(ended, key=lambda mark: mark.until or 0.0):
        counts[mark.what] += 1
        answers[id(mark)] = counts[mark.what]
    starts: Counter[str] = Counter()
    attempts = []
    for mark in acts:
        starts[mark.what] += 1
        attempts.append(ActivityAttempt(mark, starts[mark.what], answers.get(id(mark))))
    return attempts


def last_event(run: RehearsalRun, target: Target) -> int | None:
    """The last event in the history at the kill, by the server's clock; not available on a virtual clock."""
    ends = [mark.until for mark in run.marks if mark.lane == target and mark.detail.get("ended") == "killed"]
    if not run.histories or ends[:1] in ([], [None]):
        return None
    killed = run.began.timestamp() + (ends[0] or 0.0)
    events = run.histories[0].events
    return max((event.event_id for event in events if event.event_time.ToNanoseconds() / 1e9 <= killed), default=None)
