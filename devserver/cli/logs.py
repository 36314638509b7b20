"""`devserver logs`: what the server says."""

from __future__ import annotations

import time
from pathlib import Path

import click

from ..instances import lifecycle
from ..instances.record import CRASHED, STOPPED, read_record
from ..server.log import LOG, log_tail
from ..system.paths import Paths
from .options.server import name_option

POLL_SECONDS = 0.2


@click.command()
@name_option
@click.option("--follow", "-f", is_flag=True, help="Go on until the server ends or Ctrl-C.")
@click.option("--lines", type=click.IntRange(min=0), default=100, show_default=True, help="How many to begin with.")
def logs(name: str, follow: bool, lines: int) -> None:
    """Show a server's log (raise --log-level at `devserver up` for more)."""
    paths = Paths.default()
    lifecycle.known(paths, name)
    path = paths.instance(name) / LOG
    position = path.stat().st_size if path.exists() else 0
    for line in log_tail(path, lines, end=position, most=10_000_000, all_runs=True):
        click.echo(line)
    while follow:
        position = _print_from(path, position)
        record = read_record(paths, name)
        if record is None or record.state_now() in (STOPPED, CRASHED):
            _print_from(path, position)
            return
        time.sleep(POLL_SECONDS)


def _print_from(path: Path, position: int) -> int:
    """Print what was added since `position`; a log that was begun anew is shown from its start."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(position if position <= size else 0)
            click.echo(file.read(), nl=False)
            return file.tell()
    except FileNotFoundError:
        return 0
