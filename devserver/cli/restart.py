"""`devserver restart`: the same server again."""

from __future__ import annotations

import contextlib

import click

from ..errors import InstanceNotRunning
from ..instances import lifecycle
from ..instances.cleanup import tidy
from ..server.log import LOG
from ..system.paths import Paths
from .options.server import name_option
from .options.types import Number
from .render.banner import banner
from .render.progress import CliReporter


@click.command()
@name_option
@click.option("--wait", type=Number(min=0.1), default=30.0, metavar="SECONDS", help="Limit of the start. [30]")
def restart(name: str, wait: float) -> None:
    """Stop a server and start it again as it was: same options, executable, ports and state.

    It runs detached afterwards.
    """
    paths = Paths.default()
    tidy(paths)
    with contextlib.suppress(InstanceNotRunning):
        lifecycle.stop(paths, name, keep=True)
    record = lifecycle.start_again(paths, name, CliReporter(), wait=wait, fork=True)
    ending = f"{lifecycle.down(name)} stops it"
    click.echo(banner(record, fresh=True, ending=ending, log=paths.instance(name) / LOG))
