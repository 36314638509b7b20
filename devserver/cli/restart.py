"""`devserver restart`: the same server again."""

from __future__ import annotations

import contextlib

import click

from ..errors import InstanceNotRunning
from ..instances import lifecycle
from ..instances.cleanup import tidy
from ..system.paths import Paths
from .options.common import json_option, name_option, start_timeout_option
from .render.banner import echo_started
from .render.progress import CliReporter


@click.command()
@name_option
@start_timeout_option
@json_option
def restart(name: str, timeout: float, as_json: bool) -> None:
    """Restart a server with the same options, executable, ports and state.

    It runs detached afterwards.
    """
    paths = Paths.default()
    tidy(paths)
    with contextlib.suppress(InstanceNotRunning):
        lifecycle.stop(paths, name, keep=True)
    record = lifecycle.start_again(paths, name, CliReporter(), wait=timeout, fork=True)
    echo_started(paths, record, fresh=True, ending=f"{lifecycle.down(name)} stops it", as_json=as_json)
