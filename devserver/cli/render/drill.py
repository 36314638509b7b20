"""The terminal of a drill: what it explains, where it waits for Enter, and the evidence at the end."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from typing import TYPE_CHECKING

import click

from ...errors import OptionError
from .output import echo_form
from .rehearsal import VERDICT_COLOURS
from .rehearsal_outcome import CODES
from .terminal import clean

if TYPE_CHECKING:
    from ...rehearsal.drill_session.drill import Question
    from ...rehearsal.scenario.result import Result

WHY = {
    "pause": "Question: how do I pause {workflow}, and does nothing start meanwhile?",
    "stop": "Question: how do I stop {workflow}, and does it clean up?",
    "detect": "Question: things go wrong in {workflow}: how will I notice?",
    "handover": "Question: how do I finish {workflow} by hand?",
}


def may_ask() -> None:
    """Check that a person can press Enter.

    Raises:
        OptionError: The input is not a terminal.
    """
    if not sys.stdin.isatty():
        raise OptionError("cannot wait for Enter: the input is not a terminal", hint="add --yes")


class DrillTerminal:
    """Speaks with the person on stderr; without `interactive`, it waits for nobody."""

    def __init__(self, *, interactive: bool, quiet: bool) -> None:
        self._interactive = interactive
        self._quiet = quiet

    @property
    def server(self) -> str:
        """The option that names the drill's server."""
        from ...rehearsal.drill_session.drill import server_name

        return f"--name {server_name()}"

    def introduce(self, question: Question, workflow: str) -> None:
        """Print the question."""
        self._echo(click.style(clean(WHY[question].format(workflow=workflow)), bold=True))
        self._echo("A server and a worker start for it ...")

    def say(self, text: str) -> None:
        """Print a paragraph."""
        self._echo("")
        for line in text.splitlines():
            self._echo(clean(line))

    def by_hand(self, text: str, *commands: str) -> None:
        """Print how a person does it without the drill, if there is one."""
        if self._interactive:
            self._echo(clean(text))
            for command in commands:
                self._echo(f"  {clean(command)}")

    async def ready(self, prompt: str, limit: float) -> None:
        """Ask for Enter, and wait for it, but not longer than `limit` seconds."""
        if not self._interactive:
            return
        short = f" (it continues by itself in {limit:.0f} s)" if limit < 60 else ""
        click.echo(click.style(f"> {prompt}{short} ", fg="cyan"), nl=False, err=True)
        pressed = asyncio.Event()
        loop = asyncio.get_running_loop()

        def read() -> None:
            sys.stdin.readline()
            pressed.set()

        loop.add_reader(sys.stdin.fileno(), read)
        try:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(pressed.wait(), limit)
        finally:
            loop.remove_reader(sys.stdin.fileno())
            if not pressed.is_set():
                click.echo(err=True)

    def _echo(self, text: str) -> None:
        if not self._quiet:
            click.echo(text, err=True)


def echo_result(question: Question, result: Result, *, as_json: bool) -> int:
    """Print the answer and the evidence; the exit code."""
    from ...rehearsal.drill_session.drill import evidence
    from ...rehearsal.report.text import SIGNS

    events = evidence(result, question)
    answers = result.judgements
    if as_json:
        echo_form(
            question=question,
            verdict=result.verdict,
            reason=result.reason,
            answers=[
                {"name": item.name, "verdict": item.verdict, "evidence": item.evidence, "details": list(item.details)}
                for item in answers
            ],
            status=result.run.status if result.run else None,
            effects=[f"{effect.name} {effect.key}".strip() for effect in result.run.effects] if result.run else [],
            history=[{"at": at, "event": event} for at, event in events],
        )
        return CODES[result.verdict]
    click.echo("")
    for item in answers:
        sign = click.style(SIGNS[item.verdict], fg=VERDICT_COLOURS[item.verdict])
        click.echo(f"{sign} {clean(item.name)}: {clean(item.evidence)}")
    if result.verdict == "unknown":
        click.echo(clean(result.reason))
    if events:
        click.echo("the history shows:")
    for at, event in events:
        click.echo(f"  {at:8.3f} s  {event}")
    return CODES[result.verdict]
