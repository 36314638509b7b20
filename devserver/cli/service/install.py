"""`devserver service install`: start a server at each login."""

from __future__ import annotations

import os
import shlex
import sysconfig
from pathlib import Path

import click

from ...config.option_values import check_name
from ...config.settings_file import find_settings_file
from ...services.definition import ServiceDefinition
from ...services.errors import ServiceUnsupported
from ...services.manager import ServiceManager
from ...system.paths import HOME_VARIABLE, Paths
from ..options.common import json_option, name_option
from ..program_name import program_name
from ..render.output import echo_form
from ..render.terminal import clean

PASSING = ("uvx", "pipx run")


@click.command()
@name_option
@click.option("--print", "only_print", is_flag=True, help="Print the file of the service; change nothing.")
@json_option
def install(name: str, only_print: bool, as_json: bool) -> None:
    """Start a server at each login, and restart it if it fails.

    The server has the settings of the project in this folder, if it has some. On Linux this writes a unit for
    systemd's user manager, on macOS an agent for launchd.
    """
    check_name(name, new=True)
    manager = ServiceManager.of(name)
    definition = _definition(name)
    if only_print:
        click.echo(manager.text(definition), nl=False)
        return
    left = manager.install(definition)
    if as_json:
        echo_form(name=name, file=str(manager.file), enabled=not left, commands=[shlex.join(words) for words in left])
        return
    click.echo(clean(f"wrote {manager.file}"))
    echo_left(left)
    click.echo(f"{name} starts at your next login; start it now with: {shlex.join(manager.starting())}")


def echo_left(left: list[list[str]]) -> None:
    """Name the commands that the system's service manager did not accept."""
    if left:
        click.echo("note: the service manager of your login cannot be reached here; run these there:", err=True)
    for words in left:
        click.echo(f"  {shlex.join(words)}", err=True)


def _definition(name: str) -> ServiceDefinition:
    program = Path(sysconfig.get_path("scripts")) / "devserver"
    called = program_name()
    if called.startswith(PASSING) or not program.is_file():
        raise ServiceUnsupported(
            f"a service needs a permanent installation, and {called} is none",
            hint="install it with: uv tool install temporal-devserver, or pipx install temporal-devserver",
        )
    settings = find_settings_file(Path.cwd())
    home = os.environ.get(HOME_VARIABLE)
    return ServiceDefinition(
        name,
        program,
        settings.path.parent if settings else Path.home(),
        Paths.default().state / f"service-{name}.log",
        {HOME_VARIABLE: home} if home else {},
    )
