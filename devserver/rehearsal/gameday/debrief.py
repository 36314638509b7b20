"""The debrief of a game day as plain data, for the page, Markdown and JSON (docs/json.md describes the keys)."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ...system.command_log import LoggedCommand
from ..report.data import combined, result_data
from ..report.text import NAME_CHARACTERS, clean, seconds
from ..scenario.result import Result
from .checklist import checklist
from .loader import examples
from .measures import GameDayTimes, first_sign, times_of, wrong_turns
from .notes import GameDayNote, Observation, ServerAction
from .server_actions import without_resets_end
from .session import GameDaySession

MOST = 500  # of each list
ATTEMPTS = re.compile(r"attempt \d+")
ENDINGS = {
    "recovered": "It recovered.",
    "person": "The person ended it.",
    "facilitator": "The facilitator ended it.",
    "limit": "The time limit ended it.",
    "interrupted": "It was interrupted.",
    "problem": "It could not be played.",
}


def debrief_data(session: GameDaySession, result: Result, commands: Sequence[LoggedCommand]) -> dict[str, Any]:
    """The debrief: the report of the run, and what the person did, under `gameday`."""
    shape = {**result_data(result), "command": _command_line(session, result.seed)}
    run = result.run
    workflow_id = run.workflow_id if run else ""
    began = run.began.timestamp() if run else 0.0
    times = times_of(session, workflow_id)
    turns = wrong_turns(session, run, workflow_id)
    actions = without_resets_end(session.server_actions)
    done = [_command(command, began) for command in commands if run is not None]
    sign = first_sign(session)
    gameday = {
        "name": clean(session.day.name, NAME_CHARACTERS),
        "briefing": clean(session.day.briefing),
        "cause": clean(session.incident.cause),
        "lesson": clean(session.incident.lesson),
        "ending": session.ending or "problem",
        "summary": _summary(session, times),
        "limit": session.day.scenario.limit,
        "times": asdict(times),
        "first_sign": None if sign is None else {"at": sign[0], "shown": [clean(line) for line in sign[1]]},
        "notes": [_note(note) for note in session.notes[:MOST]],
        "seed": result.seed,
        "server_actions": [_action(action) for action in actions[:MOST]],
        "commands": done[:MOST],
        "wrong_turns": [{"at": turn.at, "what": clean(turn.what), "why": clean(turn.why)} for turn in turns[:MOST]],
        "observations": [_observation(seen) for seen in (session.observations.found if session.observations else ())],
        "checklist": [clean(item) for item in checklist(session, times, turns)],
    }
    gameday["story"] = story(gameday, shape)
    return {**combined([shape]), "gameday": gameday}


def _command_line(session: GameDaySession, seed: int) -> str:
    """The command line that plays the same incident again."""
    file = session.day.file
    known = file is not None and examples().get(file.stem) == file
    where = "SCENARIO.py" if file is None else file.stem if known else str(file)
    return shlex.join(["devserver", "gameday", clean(where), "--seed", str(seed)])


def _summary(session: GameDaySession, times: GameDayTimes) -> str:
    if session.ending == "problem":
        return "The game day could not be played as planned."
    if times.began is None:
        return "It ended before anything went wrong."
    parts = [
        f"noticed after {seconds(times.noticed)}" if times.noticed is not None else "not noticed",
        f"the cause named after {seconds(times.cause)}" if times.cause is not None else "the cause not named",
        f"recovered after {seconds(times.recovered)}" if times.recovered is not None else "not recovered",
    ]
    text = ", ".join(parts)
    nobody = not [note for note in session.notes if note.kind in ("noticed", "cause", "hint", "action")]
    idle = " Nobody did anything." if nobody and not session.server_actions else ""
    how = "" if session.ending == "recovered" else f" {ENDINGS[session.ending or 'problem']}"
    return f"{text[0].upper()}{text[1:]}.{how}{idle}"


def story(gameday: Mapping[str, Any], shape: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Everything that happened, by time: `at`, `who`, `what`, and why it did not help (`wrong`)."""
    lines = [{"at": item["at"], "who": "incident", "what": item["what"]} for item in shape["faults"]]
    lines += [{"at": note["at"], "who": _WHO[note["kind"]], "what": _said(note)} for note in gameday["notes"]]
    lines += [
        {"at": item["at"], "who": "person", "what": f"{item['workflow_id']}: {item['what']}"}
        for item in gameday["server_actions"]
    ]
    lines += [{"at": item["at"], "who": "command", "what": _ran(item)} for item in gameday["commands"]]
    lines += _of_tools(gameday["observations"])
    whys = {turn["at"]: turn for turn in gameday["wrong_turns"]}
    found: list[dict[str, Any]] = []
    for line in sorted(lines, key=lambda line: line["at"]):
        turn = whys.pop(line["at"], None) if line["who"] == "person" else None
        found.append({**line, "wrong": None if turn is None else turn["why"]})
    found += [{"at": turn["at"], "who": "person", "what": turn["what"], "wrong": turn["why"]} for turn in whys.values()]
    return sorted(found, key=lambda line: line["at"])


def _of_tools(observations: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What the tools showed, where it differs from what they showed before, without numbers of attempts."""
    lines: list[dict[str, Any]] = []
    before = ""
    for item in observations:
        shown = ATTEMPTS.sub("", _shown(item))
        if shown != before:
            lines.append({"at": item["at"], "who": "tools", "what": _shown(item)})
        before = shown
    return lines


_WHO = {
    "noticed": "person",
    "cause": "person",
    "hint": "hint",
    "action": "person",
    "trigger": "facilitator",
    "recovered": "incident",
    "end": "end",
}


def _said(note: Mapping[str, Any]) -> str:
    text = str(note["text"])
    if note["kind"] == "noticed":
        return f"noticed it: {text}" if text else "noticed it"
    if note["kind"] == "cause":
        judged = {True: "right", False: "wrong", None: "not judged"}[note["right"]]
        return f"named the cause ({judged}): {text}"
    if note["kind"] == "action":
        return f"did {text}" + (f": {note['problem']}" if note["problem"] else "")
    if note["kind"] == "trigger":
        return f"started: {text}"
    return {"recovered": "recovered", "end": ENDINGS.get(text, text)}.get(note["kind"], text)


def _ran(command: Mapping[str, Any]) -> str:
    how = "" if command["code"] is None else f" (exit code {command['code']})"
    return f"devserver {command['command']}{how}"


def _shown(seen: Mapping[str, Any]) -> str:
    lines = [*seen["stuck"], *seen["cluster"]]
    return "; ".join(lines) if lines else "nothing is stuck"


def _note(note: GameDayNote) -> dict[str, Any]:
    return {
        **asdict(note),
        "text": clean(note.text),
        "problem": None if note.problem is None else clean(note.problem),
    }


def _action(action: ServerAction) -> dict[str, Any]:
    return {
        "at": action.at,
        "kind": action.kind,
        "what": clean(action.what, NAME_CHARACTERS),
        "workflow_id": clean(action.workflow_id, NAME_CHARACTERS),
        "by": clean(action.by, NAME_CHARACTERS),
    }


def _command(command: LoggedCommand, began: float) -> dict[str, Any]:
    return {
        "at": command.began - began,
        "command": clean(command.command),
        "seconds": command.seconds,
        "code": command.code,
    }


def _observation(seen: Observation) -> dict[str, Any]:
    return {
        "at": seen.at,
        "why": seen.why,
        "stuck": [clean(line) for line in seen.stuck],
        "failures": dict(seen.failures),
        "cluster": [clean(line) for line in seen.cluster],
    }
