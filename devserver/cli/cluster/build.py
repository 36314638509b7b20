"""`devserver cluster build`: the server with all roles, built with Go."""

from __future__ import annotations

import click

from ...cluster import executable
from ...cluster.declaration import DEFAULT_VERSION
from ...config.settings import Settings
from ...system.paths import Paths
from ..options.common import json_option, quiet_option
from ..render.output import echo_form
from ..render.progress import CliReporter


@click.command()
@click.argument("version", default=DEFAULT_VERSION)
@quiet_option
@json_option
def build(version: str, quiet: bool, as_json: bool) -> None:
    """Build the executable of a cluster with Go: every role, the schema tools and tdbg.

    Go downloads the server's source through its own module proxy settings (GOPROXY). The first build takes
    about 20 minutes of CPU time and 3 GB in Go's caches. The result takes 150 MB.
    """
    offline = bool(Settings.load().offline)
    path = executable.build(version, Paths.default(), CliReporter(quiet=quiet), offline=offline)
    if as_json:
        echo_form(version=version, executable=str(path))
    elif not quiet:
        click.echo(str(path))
