"""The after-action checklist: what a team does after a game day, from what happened in it."""

from __future__ import annotations

from collections.abc import Iterator

from ..report.text import seconds
from .measures import GameDayTimes, WrongTurn, first_sign
from .session import GameDaySession

SLOW = 60.0  # seconds from the first sign until somebody notices


def checklist(session: GameDaySession, times: GameDayTimes, turns: list[WrongTurn]) -> list[str]:
    """What to do next, one sentence each."""
    return [*_detection(session, times), *_cause(session, turns), *_control(times), *_always(times)]


def _detection(session: GameDaySession, times: GameDayTimes) -> Iterator[str]:
    sign = first_sign(session)
    if times.began is None:
        yield "Nothing went wrong before the end. Play it again with a longer limit."
        return
    shown = "" if sign is None else f" `devserver stuck` showed it after {seconds(max(0.0, sign[0] - times.began))}."
    if times.noticed is None:
        yield f"Nobody noticed it. Add an alert for it.{shown}"
    elif sign is not None and times.noticed > sign[0] - times.began + SLOW:
        late = seconds(times.noticed - max(0.0, sign[0] - times.began))
        yield f"It was visible {late} before it was noticed. Add an alert for it.{shown}"
    if sign is None:
        yield "Neither `devserver stuck` nor the status of the cluster showed it. Find out which metric would have."


def _cause(session: GameDaySession, turns: list[WrongTurn]) -> Iterator[str]:
    if session.incident.named and session.cause_named_at is None:
        yield f"The cause was not found: {session.incident.cause} Show in the runbook's documentation how to see it."
    for hint in session.said("hint"):
        yield f"Write this hint into the runbook's documentation: {hint.text}"
    wrong = [note for note in session.said("cause") if note.right is False]
    if wrong:
        yield f"Say in the documentation how to tell the cause from: {'; '.join(note.text for note in wrong[:3])}."
    if any(turn.why == "it was healthy" for turn in turns):
        yield "Something healthy was stopped. Agree who may terminate a workflow, and who looks first."
    if any(turn.why == "it was running" for turn in turns):
        yield "A process that was running was taken down. Agree who may do that, and who looks first."


def _control(times: GameDayTimes) -> Iterator[str]:
    if times.began is not None and times.paused is None and times.stopped is None:
        yield "The runbook was neither paused nor stopped. Practise it: devserver drill pause, devserver drill stop."
    if times.began is not None and times.recovered is None:
        yield "It did not recover. Play the same game day again, with the debrief at hand."


def _always(times: GameDayTimes) -> Iterator[str]:
    yield "Give each of these an owner and a date."
    yield "Read this page with everybody who was on call, also with those who only watched."
    if times.recovered is not None:
        yield "Play another incident: devserver gameday with another --seed."
