"""The debrief of a game day as Markdown, for a wiki or an issue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...system.markdown import MarkdownSummary
from ..report.text import moment, seconds


def markdown(shape: Mapping[str, Any]) -> str:
    """The debrief as Markdown."""
    day = shape["gameday"]
    times = day["times"]
    text = MarkdownSummary(f"Game day debrief: {day['name']}")
    text.paragraph(day["summary"])
    text.paragraph(f"What went wrong: {day['cause']}")
    if day["lesson"]:
        text.paragraph(f"Lesson: {day['lesson']}")
    text.table(("step", "after"), [(label, value) for label, value in figures(times)])
    text.heading("Wrong turns")
    text.table(
        ("when", "what", "why"), [(moment(turn["at"]), turn["what"], turn["why"]) for turn in day["wrong_turns"]]
    )
    if not day["wrong_turns"]:
        text.paragraph("None.")
    text.heading("What happened")
    text.table(("when", "who", "what"), [(moment(line["at"]), line["who"], _with_why(line)) for line in day["story"]])
    text.heading("After the game day")
    text.tasks(day["checklist"])
    return text.text()


def _with_why(line: Mapping[str, Any]) -> str:
    return f"{line['what']} (did not help: {line['wrong']})" if line["wrong"] else str(line["what"])


def figures(times: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The measured times in words: label and value."""
    by = {"paused": " (paused the runbook)", "said": ""}.get(times["noticed_by"] or "said", "")
    found = [
        (f"noticed{by}", times["noticed"], "never"),
        ("right cause named", times["cause"], "never"),
        ("runbook paused", times["paused"], "not done"),
        ("runbook stopped", times["stopped"], "not done"),
        ("recovered", times["recovered"], "never"),
    ]
    rows = [(label, missing if value is None else seconds(value)) for label, value, missing in found]
    hints = f"{times['hints']}, {seconds(times['hint_seconds'])}" if times["hints"] else "none"
    return [*rows, ("hints", hints)]
