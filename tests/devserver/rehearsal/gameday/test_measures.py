"""What a game day measures: from notes, histories and what the tools showed, without a server."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.api.history.v1 import HistoryEvent

from devserver.rehearsal import GameDay, Incident, Scenario
from devserver.rehearsal.drills.operator import REASON
from devserver.rehearsal.gameday.checklist import checklist
from devserver.rehearsal.gameday.debrief import debrief_data
from devserver.rehearsal.gameday.markdown import markdown
from devserver.rehearsal.gameday.measures import times_of, wrong_turns
from devserver.rehearsal.gameday.notes import GameDayNote, Observation, ServerAction
from devserver.rehearsal.gameday.page import debrief_html
from devserver.rehearsal.gameday.server_actions import action_of, without_resets_end
from devserver.rehearsal.gameday.session import GameDaySession
from devserver.rehearsal.patient.record import PatientRecord
from devserver.rehearsal.scenario.result import Result
from devserver.rehearsal.scenario.timeline import Mark, Timeline
from tests.helpers.rehearsed import run

RUNBOOK = "rehearsal-1"
HOSTILE = "<script>alert(1)</script>\x1b[31m\u202e|`*_"
DAY = GameDay(
    Scenario(name=f"Night {HOSTILE}", runbook="steps", workflow="Nothing"),
    [Incident(f"cause {HOSTILE}", named=["disk"], hints=[HOSTILE])],
    briefing=HOSTILE,
)


def session(*notes: GameDayNote, actions: tuple[ServerAction, ...] = (), seen: tuple[Observation, ...] = ()) -> Any:
    """A game day in which the disk was full after 10 s."""
    found = GameDaySession(DAY, DAY.incidents[0])
    timeline = Timeline()
    timeline.note("fault", "the disk is full", at=10.0)
    context: Any = SimpleNamespace(timeline=timeline, workflow_id=RUNBOOK)
    found._context = context
    found.notes = list(notes)
    found.server_actions = list(actions)
    observations: Any = SimpleNamespace(found=list(seen))
    found.observations = observations
    found.ending = "person"
    return found


def action(at: float, kind: str, workflow_id: str = RUNBOOK) -> ServerAction:
    """Something that a person did."""
    return ServerAction(at, kind, f"{kind} {HOSTILE}", workflow_id, "1@laptop")


def test_a_pause_shows_that_it_was_noticed() -> None:
    """Not one before anything was wrong; what was said earlier than that counts neither."""
    early = session(GameDayNote(5.0, "noticed", "odd"), actions=(action(8.0, "pause"),))
    assert times_of(early, RUNBOOK).noticed is None
    paused = times_of(session(actions=(action(14.0, "pause"), action(20.0, "cancel"))), RUNBOOK)
    assert (paused.noticed, paused.noticed_by, paused.paused, paused.stopped) == (4.0, "paused", 4.0, 10.0)
    said = times_of(session(GameDayNote(12.0, "noticed", ""), actions=(action(14.0, "pause"),)), RUNBOOK)
    assert (said.noticed, said.noticed_by) == (2.0, "said")


def test_hints_cost_and_the_first_right_cause_counts() -> None:
    """A cause that the facilitator has judged later counts from when it was named."""
    notes = [
        GameDayNote(11.0, "hint", "look"),
        GameDayNote(12.0, "cause", "network", right=False),
        GameDayNote(13.0, "cause", "storage", right=True, judged_by="facilitator"),
        GameDayNote(14.0, "cause", "disk", right=True),
    ]
    times = times_of(session(*notes), RUNBOOK)
    assert (times.cause, times.hints, times.hint_seconds) == (3.0, 1, 60.0)


@pytest.mark.parametrize(
    ("kind", "workflow_id", "at", "stuck", "wrong"),
    [
        ("terminate", "order-7", 20.0, (), True),
        ("terminate", "order-7", 20.0, ("activity_retrying: order-7 fails",), False),
        ("cancel", RUNBOOK, 20.0, (), False),
        ("reset", RUNBOOK, 5.0, (), True),
        ("signal", "order-7", 20.0, (), False),
        ("pause", "order-7", 20.0, (), False),
    ],
)
def test_destructive_actions_on_what_was_healthy(
    kind: str, workflow_id: str, at: float, stuck: tuple[str, ...], wrong: bool
) -> None:
    """Other workflows that were not stuck, and the runbook before anything was wrong."""
    found = session(actions=(action(at, kind, workflow_id),), seen=(Observation(15.0, stuck),))
    assert [turn.why for turn in wrong_turns(found, None, RUNBOOK)] == (["it was healthy"] if wrong else [])


def test_a_member_that_was_running_and_went_down() -> None:
    """One that a fault has hit is no wrong turn, also if another one goes down at the same time."""
    up = {"patient": True, "version": "1.32.0", "ended": "killed"}
    marks = [
        Mark(10.0, "fault", "of the patient, every matching process is killed (-9), until the runbook repairs it"),
        Mark(0.0, "matching-1", "up", 10.1, up),
        Mark(0.0, "frontend-1", "up", 11.0, {**up, "ended": "stopped"}),
        Mark(0.0, "history-1", "up", None, {"patient": True}),
    ]
    patient = PatientRecord("a cluster", 0.0, 20.0, [], None, {})
    found = wrong_turns(session(), run(marks, patient=patient), RUNBOOK)
    assert [(turn.at, turn.what, turn.why) for turn in found] == [(11.0, "took frontend-1 down", "it was running")]


def test_what_a_team_should_do_next() -> None:
    """What was visible long before it was noticed needs an alert; hints and wrong causes belong into the docs."""
    found = session(
        GameDayNote(11.0, "hint", "look at the disk"),
        GameDayNote(12.0, "cause", "network", right=False),
        GameDayNote(200.0, "noticed", "slow"),
        seen=(Observation(20.0, ("no_worker: none polls",)),),
    )
    times = times_of(found, RUNBOOK)
    items = checklist(found, times, wrong_turns(found, None, RUNBOOK))
    assert items[0].startswith("It was visible 3 min 0 s before it was noticed. Add an alert for it.")
    assert "Write this hint into the runbook's documentation: look at the disk" in items
    assert "Say in the documentation how to tell the cause from: network." in items
    assert "It did not recover. Play the same game day again, with the debrief at hand." in items


def test_hostile_texts_stay_texts() -> None:
    """In the page and in Markdown: names, notes, ids and what the tools showed."""
    found = session(
        GameDayNote(12.0, "noticed", HOSTILE),
        GameDayNote(13.0, "cause", HOSTILE, right=False),
        GameDayNote(14.0, "hint", HOSTILE),
        actions=(action(20.0, "terminate", HOSTILE),),
        seen=(Observation(15.0, (HOSTILE,), {}, (HOSTILE,)),),
    )
    result = Result(HOSTILE, "pass", "it passed", (), run(), 1)
    shape = debrief_data(found, result, [])
    for text in (debrief_html(shape), markdown(shape)):
        assert "<script>alert" not in text
        assert "\x1b" not in text
        assert "\u202e" not in text
    lines = markdown(shape).splitlines()
    assert all(line.count(" | ") == 2 for line in lines if line.startswith("| 1"))


def event(kind: str, **attributes: Any) -> HistoryEvent:
    """An event of a history."""
    fields: Any = {f"{kind}_event_attributes": attributes}
    return HistoryEvent(event_type=EventType.Value(f"EVENT_TYPE_{kind.upper()}"), **fields)


def test_what_histories_show_of_people() -> None:
    """Signals, cancellations, terminations, pauses; not the drills of a rehearsal, and not tasks that fail."""
    signal = action_of(event("workflow_execution_signaled", signal_name="skip", identity="ada"), "w", 1.0)
    assert signal == ServerAction(1.0, "signal", "signal skip", "w", "ada")
    ended = action_of(event("workflow_execution_terminated", reason="enough", identity="ada"), "w", 2.0)
    assert ended == ServerAction(2.0, "terminate", "terminated (enough)", "w", "ada")
    assert action_of(event("workflow_execution_terminated", reason=REASON), "w", 2.0) is None
    assert action_of(event("workflow_task_failed", identity="worker"), "w", 3.0) is None
    assert action_of(event("timer_started"), "w", 4.0) is None
    cause = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW
    reset = action_of(event("workflow_task_failed", cause=cause, identity="ada"), "w", 2.1)
    assert reset is not None
    assert ended is not None
    assert [item.kind for item in without_resets_end([reset, ended])] == ["reset"]
