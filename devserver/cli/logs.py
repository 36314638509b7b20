"""`devserver logs`: the server's log."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import click

from ..instances.folder import InstanceFolder
from ..instances.record import CRASHED, STOPPED
from ..server.log import log_tail
from ..system.paths import Paths
from .options.common import json_option, name_option
from .render.output import echo_json_line
from .render.terminal import clean

POLL_SECONDS = 0.2
MOST_BYTES = 10_000_000


@click.command()
@name_option
@click.option("--follow", "-f", is_flag=True, help="Continue until the server stops or Ctrl-C.")
@click.option(
    "--lines",
    "--tail",
    "-n",
    type=click.IntRange(min=0),
    default=100,
    metavar="N",
    help="Number of lines to start with.",
)
@json_option
def logs(name: str, follow: bool, lines: int, as_json: bool) -> None:
    """Show a server's log. `devserver up --log-level info` logs more."""
    folder = InstanceFolder(Paths.default(), name)
    folder.require_record()
    path = folder.log
    position = path.stat().st_size if path.exists() else 0
    echo = _echo_json if as_json else _echo_line
    for line in log_tail(path, lines, end=position, most=MOST_BYTES, all_runs=True):
        echo(line)
    while follow:
        position = _print_from(path, position, echo)
        record = folder.read_record()
        if record is None or record.state_now() in (STOPPED, CRASHED):
            _print_from(path, position, echo, ended=True)
            return
        time.sleep(POLL_SECONDS)


def _echo_json(line: str) -> None:
    echo_json_line(line=line)


def _echo_line(line: str) -> None:
    """Print a line without control characters: a server logs what its clients send."""
    click.echo(clean(line.expandtabs()))


def _print_from(path: Path, position: int, echo: Callable[[str], None], *, ended: bool = False) -> int:
    """Print what was added since `position`; a log that was truncated is shown from its start.

    A line that is not complete comes with the next call, unless the server has ended.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(position if position <= size else 0)
            added = file.read()
            end = file.tell()
    except FileNotFoundError:
        return 0
    whole = added if ended else added[: added.rfind(b"\n") + 1]
    for line in whole.decode(errors="replace").splitlines():
        echo(line)
    return end - len(added) + len(whole)
