"""`devserver gameday run`: play a game day in the foreground, and write its debrief."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...rehearsal.scenario.plan import SEEDS
from ..options.common import json_option
from ..options.types import Duration

if TYPE_CHECKING:
    from ...rehearsal.gameday.play import GameDayPlay

NAME = "gameday"
EXAMPLE = """
\b
Example:
  devserver gameday imports                  the first one: ten minutes
  devserver gameday rehearsals/night.py      your own, or any scenario of a rehearsal
  devserver gameday payouts --facilitator    with a page for a colleague who knows

\b
Exit code: 0 it recovered, 1 it did not, 4 it could not be played as planned, 2 the
file is invalid, 130 Ctrl-C, which also writes the debrief.
"""


@click.command(epilog=EXAMPLE)
@click.argument("scenario")
@click.option(
    "--only",
    metavar="TEXT",
    help="Choose the game day or scenario whose name is or contains TEXT, if there are several.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, SEEDS - 1),
    metavar="N",
    show_default="random",
    help="Seed of random choices: what goes wrong, where and when.",
)
@click.option(
    "--time-limit",
    type=Duration(positive=True),
    show_default="that of the scenario",
    help="End the game day after this time.",
)
@click.option("--name", default=NAME, metavar="NAME", help="Name of the devserver instance.")
@click.option("--facilitator", is_flag=True, help="Serve a page with the secret plan for a facilitator.")
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    metavar="DIR",
    show_default="a new folder among your data",
    help="Folder for debrief.html, debrief.md and debrief.json.",
)
@json_option
@click.pass_context
def run(
    ctx: click.Context,
    scenario: str,
    only: str | None,
    seed: int | None,
    time_limit: float | None,
    name: str,
    facilitator: bool,
    report: Path | None,
    as_json: bool,
) -> None:
    """Play a game day: SCENARIO is a file, or the name of one that `devserver gameday list` shows.

    A runbook runs on a server that is yours alone, and something goes wrong. Find out what with your tools, and fix it.
    The debrief shows how long each step took, and what you missed.
    """
    add_project(scenario)
    from ...rehearsal.environment.worker_forkserver import WorkerForkServer
    from ...rehearsal.gameday.loader import find_game_day
    from ...rehearsal.scenario.plan import any_seed

    folder = debrief_folder(report)
    with contextlib.closing(WorkerForkServer(fork=True)) as fork_server:  # before the user's code is imported
        import asyncio

        from ...rehearsal.gameday.play import GameDayPlay, GameDayRequest
        from ..render.gameday import GameDayScreen

        day = find_game_day(scenario, only)
        request = GameDayRequest(
            day=day,
            name=name,
            seed=any_seed() if seed is None else seed,
            limit=time_limit,
            facilitated=facilitator,
            fork_server=fork_server,
        )
        screen = GameDayScreen(quiet=as_json)
        play = GameDayPlay(request, on_started=screen.briefing, on_note=screen.note, on_killed=screen.killed)
        screen.starting(day.name)
        number, shape = asyncio.run(_played(play, screen))
    ctx.exit(_finish(shape, folder, number, as_json=as_json))


def add_project(scenario: str) -> None:
    """Let Python find the packages of a file's project. An example has none, and lies in no folder of the user."""
    if Path(scenario).is_file():
        sys.path.append(str(Path.cwd()))


def debrief_folder(report: Path | None) -> Path:
    """The folder of the debrief: the user's choice, else a new one among their data, which only they can read."""
    from ...system.files import private_folder
    from ...system.paths import Paths, whole
    from ...system.timefmt import utc_for_names

    if report is not None:
        return whole(report)
    return private_folder(Paths.default().debriefs) / f"{utc_for_names()}-{os.getpid()}"


async def _played(play: GameDayPlay, screen: Any) -> tuple[int | None, dict[str, Any] | None]:
    """Play it to its end; the signal that ended it, and the debrief (None: there is none)."""
    import asyncio

    from ..render.interruption import Interruption

    running = asyncio.create_task(play.run())

    def stop(number: int) -> None:
        screen.stopping()
        if not play.interrupt():
            running.cancel()

    interruption = Interruption(stop)
    try:
        shape = await running
    except asyncio.CancelledError:
        if interruption.number is None:
            raise
        shape = None
    return interruption.number, shape


def _finish(shape: dict[str, Any] | None, folder: Path, number: int | None, *, as_json: bool) -> int:
    """Write and print the debrief; the exit code."""
    if shape is None:
        return 128 + (number or signal.SIGINT)
    from ...rehearsal.gameday.write import write_debrief
    from ..render.gameday import echo_debrief

    page = write_debrief(shape, folder)
    echo_debrief(shape, page, as_json=as_json)
    day = shape["gameday"]
    if day["ending"] == "interrupted":
        return 128 + signal.SIGINT
    if shape["results"][0]["reason"] and day["ending"] == "problem":
        return 4
    return 0 if day["times"]["recovered"] is not None else 1
