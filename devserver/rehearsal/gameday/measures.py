"""What is measured in a game day: how long each step of the person took, and the wrong turns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..scenario.result import RehearsalRun
from ..scenario.timeline import Mark
from .notes import GameDayNote
from .server_actions import DESTRUCTIVE, without_resets_end
from .session import GameDaySession

PLANNED = 3.0  # seconds in which a member that a fault has hit goes down


@dataclass(frozen=True)
class GameDayTimes:
    """Seconds from the first thing that went wrong until each step; None if it did not happen.

    Attributes:
        began: When it began, in seconds after the run's start; None if nothing went wrong.
        noticed: Until the person noticed it.
        noticed_by: How: `said` or `paused`.
        cause: Until the right cause was named.
        paused: Until the runbook was paused.
        stopped: Until the runbook was cancelled or terminated.
        recovered: Until all was well again.
        hints: The number of hints.
        hint_seconds: What they cost.
    """

    began: float | None
    noticed: float | None
    noticed_by: str | None
    cause: float | None
    paused: float | None
    stopped: float | None
    recovered: float | None
    hints: int
    hint_seconds: float


@dataclass(frozen=True)
class WrongTurn:
    """Something that did not help, `at` seconds after the run's start."""

    at: float
    what: str
    why: str


def times_of(session: GameDaySession, workflow_id: str) -> GameDayTimes:
    """The times of a game day."""
    began = session.began_at
    noticed = session.noticed_at
    mine = [action for action in session.server_actions if action.workflow_id == workflow_id]
    after = [action for action in without_resets_end(mine) if began is not None and action.at >= began]
    paused = next((action.at for action in after if action.kind == "pause"), None)
    stopped = next((action.at for action in after if action.kind in ("cancel", "terminate")), None)
    hints = len(session.said("hint"))

    def since(moment: float | None) -> float | None:
        return None if moment is None or began is None else max(0.0, moment - began)

    return GameDayTimes(
        began=began,
        noticed=since(noticed),
        noticed_by=None if noticed is None else "paused" if noticed == paused else "said",
        cause=since(session.cause_named_at),
        paused=since(paused),
        stopped=since(stopped),
        recovered=since(session.recovered_at),
        hints=hints,
        hint_seconds=hints * session.day.hint_seconds,
    )


def wrong_turns(session: GameDaySession, run: RehearsalRun | None, workflow_id: str) -> list[WrongTurn]:
    """What did not help, by time."""
    found = [*_of_notes(session), *_of_server(session, workflow_id)]
    if run is not None and run.patient is not None:
        found += _of_members(run)
    return sorted(found, key=lambda turn: turn.at)


def _of_notes(session: GameDaySession) -> Iterator[WrongTurn]:
    began = session.began_at
    for note in session.notes:
        if note.kind == "noticed" and (began is None or note.at < began):
            yield WrongTurn(note.at, _quoted("reported", note), "nothing was wrong yet")
        if note.kind == "cause" and note.right is False:
            yield WrongTurn(note.at, _quoted("named the cause", note), "it was not the cause")
        if note.kind == "action" and note.problem is not None:
            yield WrongTurn(note.at, f"did {note.text}", note.problem)
        elif note.kind == "action" and note.right is False:
            yield WrongTurn(note.at, f"did {note.text}", "it does not help against this cause")


def _of_server(session: GameDaySession, workflow_id: str) -> Iterator[WrongTurn]:
    """Destructive actions on what was healthy."""
    began = session.began_at
    for action in without_resets_end(session.server_actions):
        if action.kind not in DESTRUCTIVE:
            continue
        early = began is None or action.at < began
        if action.workflow_id == workflow_id and not early:
            continue
        if early or not _was_stuck(session, action.workflow_id, action.at):
            yield WrongTurn(action.at, f"{action.workflow_id}: {action.what}", "it was healthy")


def _was_stuck(session: GameDaySession, workflow_id: str, at: float) -> bool:
    seen = session.observations.found if session.observations else ()
    before = [observation for observation in seen if observation.at <= at]
    return bool(before) and any(workflow_id in line for line in before[-1].stuck)


def _of_members(run: RehearsalRun) -> Iterator[WrongTurn]:
    """Members of the cluster that went down without a fault: they were running."""
    faults = [mark for mark in run.marks if mark.lane == "fault"]
    for mark in run.marks:
        if not mark.detail.get("patient") or mark.what != "up" or mark.until is None or "ended" not in mark.detail:
            continue
        if not any(_hits(fault, mark) for fault in faults):
            yield WrongTurn(mark.until, f"took {mark.lane} down", "it was running")


def _hits(fault: Mark, up: Mark) -> bool:
    """Whether a member went down by a fault, whose text names the member, its role or the database."""
    role = up.lane.rpartition("-")[0] or up.lane
    named = role in fault.what or (role in ("postgres", "node") and "database" in fault.what)
    return named and fault.at - 1 <= (up.until or 0.0) <= (fault.until or fault.at) + PLANNED


def _quoted(what: str, note: GameDayNote) -> str:
    return f"{what}: {note.text}" if note.text else what


def first_sign(session: GameDaySession) -> tuple[float, Sequence[str]] | None:
    """When `devserver stuck` or the cluster's status first showed it, and what; None if they never did."""
    began = session.began_at
    for seen in session.observations.found if session.observations else ():
        shown = [*seen.stuck, *seen.cluster]
        if began is not None and seen.at >= began and (seen.stuck or len(seen.cluster) > 1):
            return seen.at, shown
    return None
