"""`devserver run`: a worker for a module, which reloads its code."""

from __future__ import annotations

from typing import Any

import click

from ..client.connection import Connection
from ..worker.config import GRACE_SECONDS, WorkerOptions
from .options.client import converter_options
from .options.common import json_option
from .options.connection import connection_options
from .options.environment import DefaultOption
from .options.module_type import ModuleType
from .options.types import Duration

EXIT_INTERRUPTED = 130
BEHAVIORS = ("pinned", "auto-upgrade")


@click.command()
@click.argument("spec", metavar="MODULE[:NAME]", type=ModuleType("any"))
@click.option(
    "--task-queue",
    "-t",
    metavar="NAME",
    show_default="TASK_QUEUE of the module, else its name",
    help="Task queue to poll.",
)
@click.option(
    "--reload/--no-reload",
    default=None,
    show_default="reload, but not with --build-id",
    help="Reload the worker when code changes.",
)
@click.option("--build-id", "build", metavar="ID", help="Build id of the worker's deployment version.")
@click.option(
    "--deployment-name",
    "deployment",
    metavar="NAME",
    show_default="the task queue's name",
    help="Worker deployment of --build-id.",
)
@click.option(
    "--versioning-behavior",
    "behavior",
    type=click.Choice(BEHAVIORS),
    cls=DefaultOption,
    literal="pinned",
    help="Versioning behavior of workflows that do not declare one.",
)
@click.option("--nexus-endpoint", metavar="NAME", help="Nexus endpoint to create for the module's services.")
@click.option(
    "--max-activities",
    type=click.IntRange(min=1),
    metavar="N",
    cls=DefaultOption,
    literal="100",
    help="Maximum concurrent activities.",
)
@click.option(
    "--max-workflow-tasks",
    type=click.IntRange(min=2),
    metavar="N",
    cls=DefaultOption,
    literal="100",
    help="Maximum concurrent workflow tasks.",
)
@click.option(
    "--grace",
    type=Duration(),
    default=f"{GRACE_SECONDS:g}s",
    help="Graceful shutdown timeout for activities.",
)
@click.option(
    "--metrics-port", type=click.IntRange(0, 65535), metavar="PORT", help="Port of Prometheus metrics, on loopback."
)
@click.option("--otlp", metavar="URL", help="OpenTelemetry collector that gets the spans of closed workflows.")
@click.option("--no-large-payloads", is_flag=True, help="Do not store large payloads in files.")
@click.option("--identity", metavar="NAME", show_default="pid@host", help="Identity of the worker.")
@converter_options
@connection_options
@json_option
@click.pass_context
def run(
    ctx: click.Context,
    /,
    connection: Connection,
    spec: str,
    reload: bool | None,
    metrics_port: int | None,
    as_json: bool,
    **values: Any,
) -> None:
    """Run a worker for a module, package.module or path/to/file.py, or for one workflow, activity, service or factory
    of it with :NAME.

    The worker registers every workflow, activity and Nexus service in the module. When code changes, a new worker
    takes over, and workflows continue from their history. Ctrl-C stops it, a second Ctrl-C at once.

    Exits 130 after Ctrl-C, 0 after SIGTERM, 1 when the module cannot be run, 4 when the server cannot be reached.
    """
    import asyncio

    options = _options(spec, connection, values)
    reload = _reload(reload, versioned=options.build is not None)
    code = asyncio.run(_run(options, reload=reload, metrics_port=metrics_port, as_json=as_json))
    if code == EXIT_INTERRUPTED:
        raise KeyboardInterrupt
    ctx.exit(code)


def _options(spec: str, connection: Connection, values: dict[str, Any]) -> WorkerOptions:
    from ..errors import OptionError

    if values["build"] is None:
        for option in ("deployment", "behavior"):
            if values[option] is not None:
                flag = "--versioning-behavior" if option == "behavior" else "--deployment-name"
                raise OptionError(f"{flag} needs a build", hint="add --build-id ID")
    if values["otlp"] is not None:
        from ..otel.otlp import otlp_exporter

        otlp_exporter(values["otlp"])  # a wrong endpoint is reported before anything starts
    large = not values.pop("no_large_payloads")
    given = {key: value for key, value in values.items() if value is not None}
    return WorkerOptions(spec, connection, large_payloads=large, **given)


def _reload(given: bool | None, *, versioned: bool) -> bool:
    """Whether to watch files: a build has fixed code, so with `--build-id` only with `--reload`."""
    from ..worker.errors import WatchfilesMissing
    from ..worker.source_changes import can_watch

    if given is False or (given is None and versioned):
        return False
    if can_watch():
        return True
    error = WatchfilesMissing(
        "cannot watch files: restart the worker to run new code",
        hint="pip install 'temporal-devserver[run]'",
    )
    if given:
        raise error
    click.echo(f"note: {error.message}: {error.hint}", err=True)
    return False


async def _run(options: WorkerOptions, *, reload: bool, metrics_port: int | None, as_json: bool) -> int:
    """Run the worker until a signal; the exit code."""
    import asyncio
    import signal

    from ..worker.supervisor import WorkerSupervisor
    from .render.worker import WorkerLines, json_line

    tell = json_line if as_json else WorkerLines(options).show
    keeper = WorkerSupervisor(options, tell, reload=reload, metrics_port=metrics_port, quiet=as_json)
    first: list[int] = []

    def asked(number: int) -> None:
        first.append(number)
        keeper.stop()

    loop = asyncio.get_running_loop()
    hung_up = () if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN else (signal.SIGHUP,)  # set by nohup
    for number in (signal.SIGINT, signal.SIGTERM, *hung_up):
        loop.add_signal_handler(number, asked, number)
    await keeper.run()
    return EXIT_INTERRUPTED if first[:1] == [signal.SIGINT] else 0
