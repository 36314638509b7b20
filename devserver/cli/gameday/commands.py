"""What the person says and does during a game day: `devserver gameday noticed|cause|hint|act|status|end`."""

from __future__ import annotations

from typing import Any

import click

from ..options.common import json_option
from ..options.gameday import gameday_name_option
from ..render.output import echo_form
from ..render.terminal import clean


@click.command()
@click.argument("text", default="")
@gameday_name_option
@json_option
def noticed(text: str, name: str | None, as_json: bool) -> None:
    """Say that you have noticed something, and what.

    \b
    devserver gameday noticed "no payouts since 02:10"

    The time until you notice is measured. Pausing the runbook counts, too.
    """
    done = _ask(name, "noticed", text=text)
    if as_json:
        echo_form(**done)
    else:
        click.echo('noted. What is the cause? devserver gameday cause "..."')


@click.command()
@click.argument("text")
@gameday_name_option
@json_option
@click.pass_context
def cause(ctx: click.Context, text: str, name: str | None, as_json: bool) -> None:
    """Name the cause, in your words.

    \b
    devserver gameday cause "the new build fails"

    Exits 0 when it is right or the facilitator will judge it, 1 when it is wrong.
    """
    done = _ask(name, "cause", text=text)
    if as_json:
        echo_form(**done)
    elif done["right"]:
        click.echo("right. Now fix it.")
    elif done["right"] is None:
        click.echo("noted" + ("; the facilitator judges it" if done["facilitated"] else ""))
    else:
        click.echo("that is not it. Look again, or ask for a hint: devserver gameday hint")
    ctx.exit(1 if done["right"] is False else 0)


@click.command()
@gameday_name_option
@json_option
def hint(name: str | None, as_json: bool) -> None:
    """Get the next hint. Each one costs time in the debrief."""
    done = _ask(name, "hint")
    if as_json:
        echo_form(**done)
    else:
        left = f"{done['left']} more" if done["left"] else "that was the last one"
        click.echo(clean(done["hint"]))
        click.echo(f"(it costs {done['cost']:g} s; {left})")


@click.command()
@click.argument("action")
@gameday_name_option
@json_option
def act(action: str, name: str | None, as_json: bool) -> None:
    """Do one of the actions that the briefing lists, such as a roll-back."""
    done = _ask(name, "act", action=action)
    if as_json:
        echo_form(**done)
    else:
        click.echo(clean(f"done: {done['done']}"))


@click.command()
@gameday_name_option
@json_option
def status(name: str | None, as_json: bool) -> None:
    """Show how much time is left, and what you have said so far. Nothing here says what is wrong."""
    done = _ask(name, "status")
    if as_json:
        echo_form(**done)
        return
    for label, value in (
        ("game day", done["name"]),
        ("running for", f"{done['seconds']:.0f} s, {done['seconds_left']:.0f} s left"),
        ("runbook", f"{done['workflow_id']} ({done['status']})"),
        ("you noticed it", _yes(done["noticed"])),
        ("cause named", _yes(done["cause_named"])),
        ("recovered", _yes(done["recovered"])),
        ("hints", f"{done['hints']} used, {done['hints_left']} left"),
    ):
        click.echo(f"{label:<15} {clean(str(value))}")


@click.command()
@gameday_name_option
@json_option
def end(name: str | None, as_json: bool) -> None:
    """End the game day. The terminal in which it runs writes the debrief."""
    done = _ask(name, "end")
    if as_json:
        echo_form(**done)
    else:
        click.echo("ended; the terminal in which the game day runs shows where the debrief is")


def _yes(value: bool) -> str:
    return "yes" if value else "not yet"


def _ask(name: str | None, what: str, **facts: Any) -> dict[str, Any]:
    """Ask the game day of that name, or the only one."""
    from ...rehearsal.gameday.control import ask
    from ...rehearsal.gameday.record import GameDayFolder
    from ...system.paths import Paths

    return ask(GameDayFolder.find(Paths.default(), name), what, **facts)
