"""What the terminal of a game day shows: the briefing, what was noted, and the debrief in short."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...system.printable import counted
from .terminal import clean

if TYPE_CHECKING:
    from ...rehearsal.gameday.notes import GameDayNote
    from ...rehearsal.gameday.play import GameDayBriefing

MOST_TURNS = 5
VARIABLES = ("DEVSERVER_NAME", "TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE", "DEVSERVER_COMMAND_LOG")


class GameDayScreen:
    """Prints to stderr, so that stdout has the debrief alone. With `quiet`, it prints the facilitator's page only."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet

    def starting(self, name: str) -> None:
        """A server and a worker start, which takes seconds, a cluster longer."""
        self._echo(f"{clean(name)}: the server starts ...")

    def killed(self) -> None:
        """An earlier game day was killed."""
        self._echo("note: an earlier game day was killed; what it left is removed")

    def stopping(self) -> None:
        """A signal has come."""
        self._echo("interrupted; the debrief follows (Ctrl-C again stops at once)")

    def briefing(self, briefing: GameDayBriefing) -> None:
        """Print the briefing."""
        if briefing.page is not None:
            click.echo(f"facilitator's page (not for the person who plays): {briefing.page}", err=True)
        for line in briefing_lines(briefing):
            self._echo(line)

    def note(self, note: GameDayNote) -> None:
        """Print what was noted, and nothing that the person does not know."""
        text = {
            "noticed": "you noticed it",
            "cause": f"cause named: {clean(note.text)}" + {True: " (right)", False: " (not it)", None: ""}[note.right],
            "hint": "a hint was given",
            "action": f"done: {note.text}" if note.problem is None else f"not done: {note.text}: {clean(note.problem)}",
            "recovered": "all is well again",
        }.get(note.kind)
        if text is not None:
            self._echo(f"  {note.at:7.0f} s  {text}")

    def _echo(self, text: str) -> None:
        if not self._quiet:
            click.echo(text, err=True)


def briefing_lines(briefing: GameDayBriefing) -> Iterator[str]:
    """The briefing: what runs, where, the tools, and how to say something."""
    yield ""
    yield click.style(clean(briefing.title), bold=True)
    if briefing.briefing:
        yield clean(" ".join(briefing.briefing.split()))
    yield ""
    yield "You are on call. It runs well now, and at some moment it will not."
    yield ""
    yield f"  server      {briefing.address}" + (f", Web UI {briefing.ui_url}" if briefing.ui_url else "")
    yield f"  workflow    {briefing.workflow_id} ({clean(briefing.workflow)})"
    if briefing.cluster:
        yield f"  cluster     devserver cluster status --cluster {briefing.name}"
    yield f"  time limit  {_minutes(briefing.limit)}"
    yield ""
    yield "In another terminal:"
    yield '  eval "$(devserver gameday env)"          settings; your devserver commands are logged for the debrief'
    yield "  devserver stuck | trace ID | ui          your tools; also temporal, logs, metrics, observe"
    yield '  devserver gameday noticed "..."          say it as soon as you see that something is wrong'
    yield '  devserver gameday cause "..."            name the cause'
    if briefing.hints:
        hints = f"{counted(briefing.hints, 'hint')}, each costs {briefing.hint_seconds:g} s"
        yield f"  devserver gameday hint                   {hints}"
    for name, what in briefing.actions:
        yield f"  {f'devserver gameday act {name}':<40} {clean(what)}"
    yield "  devserver gameday end                    end it and read the debrief"
    yield ""


def echo_debrief(shape: Mapping[str, Any], page: Path, *, as_json: bool) -> None:
    """Print the debrief in short, or whole as JSON."""
    from ...rehearsal.gameday.markdown import figures

    if as_json:
        click.echo(json.dumps({**shape, "report": str(page)}, indent=2, ensure_ascii=False))
        return
    day = shape["gameday"]
    click.echo(click.style(clean(day["summary"]), bold=True))
    click.echo(f"  what went wrong: {clean(day['cause'])}")
    for label, value in figures(day["times"]):
        click.echo(f"  {label:<32} {value}")
    for turn in day["wrong_turns"][:MOST_TURNS]:
        click.echo(f"  wrong turn: {clean(turn['what'])} ({clean(turn['why'])})")
    if len(day["wrong_turns"]) > MOST_TURNS:
        click.echo(f"  {len(day['wrong_turns']) - MOST_TURNS} more wrong turns in the debrief")
    click.echo(f"debrief: {page}")
    if day["commands"]:
        click.echo(f"in the terminals that you worked in: unset {' '.join(VARIABLES)}", err=True)


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:g} minutes" if seconds >= 120 else f"{seconds:g} s"
