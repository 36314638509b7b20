"""`devserver gameday list`: the game days that can be played, and those that run."""

from __future__ import annotations

import click

from ..options.common import json_option
from ..render.output import echo_form
from ..render.table import echo_table
from ..render.terminal import clean


@click.command(name="list")
@json_option
def list_(as_json: bool) -> None:
    """List the game days that you can play by name, and those that run."""
    from ...rehearsal.gameday.loader import examples, title_of
    from ...rehearsal.gameday.record import GameDayFolder
    from ...system.paths import Paths

    found = [{"name": name, "title": title_of(file), "file": str(file)} for name, file in examples().items()]
    records = [folder.read() for folder in GameDayFolder.running(Paths.default())]
    running = [
        {"name": record.name, "title": record.title, "began": record.began} for record in records if record is not None
    ]
    if as_json:
        echo_form(gamedays=found, running=running)
        return
    echo_table(("GAME DAY", "WHAT RUNS"), [(item["name"], item["title"]) for item in found])
    for item in running:
        click.echo(clean(f"running: {item['name']} ({item['title']}), since {item['began']}"))
