"""Options with one meaning in all commands: the instance, --json, --quiet, --watch, --timeout, --yes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ...config.option_values import DEFAULT_NAME
from ...errors import OptionError
from ..render.terminal import clean
from .environment import DefaultOption
from .types import Duration, Number

if TYPE_CHECKING:
    from ...config.settings import ProjectFile, Settings
    from ...instances.record import Record
    from ...system.progress import Reporter

F = TypeVar("F", bound=Callable[..., Any])

WATCH_SECONDS = 5.0
START_TIMEOUT = "30s"
PROJECT_FILE = "devserver.project_file"


def project_file() -> ProjectFile:
    """The file with the project's settings, read once for the whole command.

    Raises:
        ConfigFileError: It is malformed.
    """
    from ...config.settings import ProjectFile

    ctx = click.get_current_context(silent=True)
    if ctx is None:
        return ProjectFile()
    found: ProjectFile = ctx.meta.get(PROJECT_FILE) or ctx.meta.setdefault(PROJECT_FILE, ProjectFile())
    return found


def declare(record: Record, settings: Settings, reporter: Reporter) -> None:
    """Make what the settings declare on a server that is ready: Nexus endpoints and schedules."""
    if settings.nexus_endpoints or settings.schedules:
        from .declared import make_declared

        make_declared(record, settings, reporter)


def declared_settings(name: str) -> Settings:
    """The settings of the project in the current folder, if the instance is the project's; else none."""
    from ...config.settings import Settings

    project = project_file()
    return Settings.load(project=project) if project.instance == name else Settings()


def _default_instance() -> str:
    ctx = click.get_current_context(silent=True)
    try:
        return project_file().instance
    except OptionError:
        if ctx is not None and (ctx.resilient_parsing or ctx.params.get("all_")):  # completion; `down --all`
            return DEFAULT_NAME
        raise


name_option = click.option(
    "--name",
    default=_default_instance,
    cls=DefaultOption,
    literal=DEFAULT_NAME,
    metavar="NAME",
    help="Name of the devserver instance.",
    envvar="DEVSERVER_NAME",
    show_envvar=True,
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON (see: devserver docs json).")
summary_option = click.option(
    "--summary",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Append a Markdown summary to this file, for the page of a CI job.",
)
quiet_option = click.option("--quiet", "-q", is_flag=True, help="Print errors only.")
yes_option = click.option("--yes", "-y", is_flag=True, help="Do not ask for confirmation.")
start_timeout_option = click.option(
    "--timeout",
    type=Duration(positive=True),
    default=START_TIMEOUT,
    help="How long to wait for the server to be ready.",
)
pause_schedules_option = click.option(
    "--pause-schedules", is_flag=True, help="Pause all schedules first, so that they do not run missed actions."
)


def timeout_option(default: str, help_text: str) -> Callable[[F], F]:
    """`--timeout TIME`; the command gets seconds."""
    return click.option("--timeout", default=default, type=Duration(), help=help_text)


def watch_option(more: str = "") -> Callable[[F], F]:
    """`--watch [SECONDS]`; the command gets the seconds, None without it. `more`: what else it does, for the help."""
    return click.option(
        "--watch",
        is_flag=False,
        flag_value=str(WATCH_SECONDS),
        type=Number(min=0.1),
        metavar="[SECONDS]",
        help=f"Refresh every SECONDS ({WATCH_SECONDS:g} if omitted) until Ctrl-C{more}.",
    )


def limit_option(default: int) -> Callable[[F], F]:
    """`--limit N`."""
    return click.option(
        "--limit", type=click.IntRange(min=1), default=default, metavar="N", help="Maximum number of results to show."
    )


def confirm(question: str) -> None:
    """Return only if the user says yes. The question goes to stderr, so stdout has the command's result alone.

    Raises:
        Exit: The user says no; exit code 1.
        OptionError: The input is not a terminal.
    """
    try:
        confirmed = click.confirm(clean(question), err=True)
    except click.Abort as error:
        if sys.stdin.isatty() or not isinstance(error.__context__, EOFError):
            raise
        click.echo(err=True)  # the question has no end of line
        raise OptionError("cannot ask for confirmation: the input is not a terminal", hint="add --yes") from None
    if not confirmed:
        click.echo("nothing was changed", err=True)
        raise click.exceptions.Exit(1)
