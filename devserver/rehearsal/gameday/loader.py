"""Finds a game day: in a file, or by the name of one of the examples."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

from ...system.packaged import packaged
from ..errors import ScenarioInvalid
from ..scenario.loader import values_of
from ..scenario.preflight import check
from ..scenario.scenario import Scenario
from .declaration import GameDay

FOLDER = "gamedays"  # of the examples


def examples() -> dict[str, Path]:
    """The files of the game days among the examples, by name."""
    folder = packaged("examples") / FOLDER
    return {file.stem: file for file in sorted(folder.glob("*.py")) if "GameDay(" in file.read_text("utf-8")}


def title_of(file: Path) -> str:
    """The first line of a file's docstring; the file is not imported."""
    doc = ast.get_docstring(ast.parse(file.read_text("utf-8"))) or file.stem
    return doc.splitlines()[0].rstrip(".")


def find_game_day(where: str, only: str | None = None) -> GameDay:
    """The game day of a file, or the example of that name. A scenario is a game day without hints and right causes.

    Args:
        where: A path, or the name of an example.
        only: A part of its name, if the file has several.

    Raises:
        ScenarioInvalid: There is none, or it contains a mistake; nothing was started.
    """
    path = Path(where)
    if not path.is_file():  # a folder may have the name of an example
        known = examples()
        if where not in known:
            raise ScenarioInvalid(
                f"there is no file and no game day {where!r}",
                hint=f"name a file with a GameDay or a Scenario, or an example: {', '.join(known)}",
            )
        path = known[where]
    found = _in_file(path)
    if only is not None:
        found = [day for day in found if day.name == only] or [day for day in found if only in day.name]
    if len(found) != 1:
        names = ", ".join(repr(day.name) for day in found)
        what = f"{path} has several game days: {names}" if found else f"no game day in {path}"
        raise ScenarioInvalid(
            what,
            hint="choose one with --only"
            if found
            else "assign a GameDay(...) or a Scenario(...) to a name in the file",
        )
    check(found[0].scenario)
    for incident in found[0].incidents:
        check(replace(found[0].scenario, plan=[*found[0].scenario.plan, *incident.plan]))
    return found[0]


def _in_file(path: Path) -> list[GameDay]:
    file = path.resolve()
    values = values_of(path)
    days = [
        replace(day, file=file, scenario=replace(day.scenario, file=file)) for day in values if isinstance(day, GameDay)
    ]
    if days:
        return days
    return [GameDay(replace(item, file=file), file=file) for item in values if isinstance(item, Scenario)]
