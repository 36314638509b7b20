"""`devserver up`: a server that is ready, in the foreground or detached."""

from __future__ import annotations

import sys
from typing import Any

import click

from .. import executables
from ..config.durations import parse_seconds
from ..config.option_values import check_name
from ..config.settings import Settings
from ..instances import starting
from ..instances.cleanup import tidy
from ..instances.folder import InstanceFolder
from ..instances.record import Record, down_command
from ..instances.request import StartRequest
from ..system.paths import Paths
from .options.binary import binary_options, version_option
from .options.common import START_TIMEOUT, declare, json_option, name_option, project_file, quiet_option
from .options.environment import setting_option
from .options.server import server_options
from .options.server_values import make_options
from .options.types import Duration
from .render.banner import echo_started
from .render.progress import CliReporter
from .render.workflow_lines import WorkflowLines

BINARY_KEYS = ("version", "binary", "source", "offline", "base_url", "require_pinned", "accept_sha256")


@click.command()
@setting_option(
    "--detach/--foreground",
    "-d",
    key="detach",
    default=None,
    help="Return once the server is ready and leave it running, or stay.",
)
@name_option
@server_options
@setting_option(
    "--pause-schedules/--no-pause-schedules",
    key="pause-schedules",
    default=None,
    help="Pause all schedules first, so that they do not run missed actions, or not.",
)
@setting_option(
    "--timeout",
    key="timeout",
    type=Duration(positive=True),
    literal=START_TIMEOUT,
    help="How long to wait for the server to be ready.",
)
@version_option
@binary_options
@quiet_option
@json_option
def up(
    detach: bool | None,
    name: str,
    pause_schedules: bool | None,
    timeout: float | None,
    quiet: bool,
    as_json: bool,
    **values: Any,
) -> None:
    """Start a server, or show the running one.

    State is stored in the instance's own database unless --ephemeral is given. In the foreground a line shows
    each workflow that starts or closes, and Ctrl-C stops the server; with -d, `devserver down` does. Every
    option of `temporal server start-dev` is accepted.
    """
    paths, settings = Paths.default(), Settings.load(project=project_file())
    binary = {key: values.pop(key) for key in BINARY_KEYS}
    options, explicit = make_options(values, settings)
    check_name(name, new=True)
    tidy(paths)
    reporter = CliReporter(quiet=quiet)
    with reporter:
        executable = executables.ensure(
            executables.BinaryRequest.of(settings, **binary), paths=paths, reporter=reporter
        )
    request = StartRequest(
        folder=InstanceFolder(paths, name),
        options=options,
        executable=executable,
        explicit=explicit | {key for key in ("version", "binary") if binary[key] is not None},
        wait=timeout or parse_seconds(settings.timeout or START_TIMEOUT, "timeout"),
        pause_schedules=bool(settings.pause_schedules if pause_schedules is None else pause_schedules),
    )

    def echo(record: Record, fresh: bool, ending: str) -> None:
        declare(record, settings, reporter)
        if not quiet:
            echo_started(request.folder, record, fresh=fresh, ending=ending, as_json=as_json)
            sys.stdout.flush()

    if settings.detach if detach is None else detach:
        started = starting.start(request, reporter, fork=True)
        echo(started.record, started.fresh, f"{down_command(name)} stops it")
        return
    shown = None if quiet or as_json else WorkflowLines()

    def on_ready(record: Record) -> None:
        echo(record, True, "Ctrl-C stops it")
        if shown is not None:
            shown.begin(record)

    running = starting.run(request, reporter, on_ready, shown.look if shown else None)
    if running is None:
        raise KeyboardInterrupt
    echo(running, False, "")
