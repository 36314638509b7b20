"""Commands for game days: `devserver gameday SCENARIO`, and what the person says and does meanwhile."""

from __future__ import annotations

import difflib
from pathlib import Path

import click

from ..groups import LazyGroup

SECTIONS = {
    "Play": {
        "run": "Play a game day. `devserver gameday SCENARIO` is the same.",
        "list": "List the game days that you can play, and those that run.",
    },
    "During a game day": {
        "env": "Print the settings for the terminals that you work in.",
        "status": "Show how much time is left, and what you have said so far.",
        "noticed": "Say that you have noticed something, and what.",
        "cause": "Name the cause.",
        "hint": "Get a hint. Each costs time.",
        "act": "Do one of the actions of the briefing, such as a roll-back.",
        "end": "End the game day and write the debrief.",
    },
}
MODULES = dict.fromkeys(("status", "noticed", "cause", "hint", "act", "end"), "commands")
LIKE = 0.75


class GameDayGroup(LazyGroup):
    """A group in which a word that is no command is the scenario of `run`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse as any group does, after `SCENARIO` has become `run SCENARIO`."""
        first = args[0] if args else ""
        known = [*self.list_commands(ctx), *self.aliases, "help", "-h", "--help"]
        if first and first not in known and not self._is_typo(ctx, first):
            args = ["run", *args]
        return super().parse_args(ctx, args)

    def _is_typo(self, ctx: click.Context, word: str) -> bool:
        """Whether a word is nearly a command, and no file."""
        close = difflib.get_close_matches(word, self.list_commands(ctx), 1, LIKE)
        return bool(close) and not Path(word).exists()


@click.group(cls=GameDayGroup, package=__package__, sections=SECTIONS, modules=MODULES)
def gameday() -> None:
    """Practise an incident. Something goes wrong, and you do not know what: find it with the tools that you have at
    night, and read afterwards what you missed.

    \b
    devserver gameday list                     what you can play
    devserver gameday imports                  play it; it says what runs, and waits
    devserver gameday noticed "imports stop"   in another terminal: say it
    devserver gameday cause "..."              name the cause
    """
