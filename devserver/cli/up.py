"""`devserver up`: a server that is ready, in the foreground or detached."""

from __future__ import annotations

from typing import Any

import click

from .. import executables
from ..config.server_options import check_name
from ..config.settings import Settings
from ..instances import lifecycle
from ..instances.cleanup import tidy
from ..instances.record import Record
from ..server.log import LOG
from ..system.paths import Paths
from .options.binary import binary_options
from .options.server import make_options, name_option, server_options
from .options.types import Number
from .render.banner import banner
from .render.progress import CliReporter

BINARY_KEYS = ("version", "binary", "source", "offline", "base_url", "require_pinned", "accept_sha256")


@click.command(context_settings={"show_default": False})
@click.option("--detach", "-d", is_flag=True, help="Return once the server is ready, and leave it running.")
@name_option
@server_options
@click.option("--wait", type=Number(min=0.1), default=30.0, metavar="SECONDS", help="Limit of the start. [30]")
@click.option("--version", metavar="VERSION", help="Version of the Temporal CLI whose server to run, or latest.")
@binary_options
@click.option("--quiet", "-q", is_flag=True, help="Print nothing but errors.")
def up(detach: bool, name: str, wait: float, quiet: bool, **values: Any) -> None:
    """Start a server, or say where the running one is.

    State is kept in the instance's own database unless --ephemeral is given. In the foreground Ctrl-C
    stops the server; with -d, `devserver down` does.
    """
    paths, settings = Paths.default(), Settings.load()
    binary = {key: values.pop(key) for key in BINARY_KEYS}
    options, explicit = make_options(values, settings)
    check_name(name, new=True)
    tidy(paths)
    reporter = CliReporter(quiet=quiet)
    with reporter:
        executable = executables.ensure(
            executables.BinaryRequest.of(settings, **binary), paths=paths, reporter=reporter
        )
    asked = lifecycle.Request(
        name=name,
        options=options,
        executable=executable,
        explicit=explicit | {key for key in ("version", "binary") if binary[key] is not None},
        wait=wait,
    )
    if detach:
        started = lifecycle.start(asked, paths, reporter, fork=True)
        _say(started.record, started.fresh, quiet, f"{lifecycle.down(name)} stops it")
        return
    running = lifecycle.run(asked, paths, reporter, lambda record: _say(record, True, quiet, "Ctrl-C stops it"))
    if running is not None:
        _say(running, False, quiet, "")
    else:
        raise KeyboardInterrupt


def _say(record: Record, fresh: bool, quiet: bool, ending: str) -> None:
    if not quiet:
        log = Paths.default().instance(record.name) / LOG
        click.echo(banner(record, fresh=fresh, ending=ending, log=log))
