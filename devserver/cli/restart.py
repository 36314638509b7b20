"""`devserver restart`: the same server again."""

from __future__ import annotations

import contextlib

import click

from ..errors import InstanceNotRunning
from ..instances import starting, stopping
from ..instances.cleanup import tidy
from ..instances.folder import InstanceFolder
from ..instances.record import down_command
from ..system.paths import Paths
from .options.common import (
    declare,
    declared_settings,
    json_option,
    name_option,
    pause_schedules_option,
    start_timeout_option,
)
from .render.banner import echo_started
from .render.progress import CliReporter


@click.command()
@name_option
@pause_schedules_option
@start_timeout_option
@json_option
def restart(name: str, pause_schedules: bool, timeout: float, as_json: bool) -> None:
    """Restart a server with the same options, executable, ports and state.

    It runs detached afterwards. In the project's folder, Nexus endpoints and schedules of its settings are created
    again if they are gone.
    """
    paths, settings = Paths.default(), declared_settings(name)
    tidy(paths)
    folder = InstanceFolder(paths, name)
    with contextlib.suppress(InstanceNotRunning):
        stopping.stop(folder, keep=True)
    reporter = CliReporter()
    record = starting.start_again(folder, reporter, wait=timeout, fork=True, pause_schedules=pause_schedules)
    declare(record, settings, reporter)
    echo_started(folder, record, fresh=True, ending=f"{down_command(name)} stops it", as_json=as_json)
