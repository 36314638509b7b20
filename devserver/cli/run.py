"""`devserver run`: a worker for a module, kept running and up to date."""

from __future__ import annotations

from typing import Any

import click

from ..client.target import Connection
from ..worker.config import GRACE_SECONDS, WorkerOptions
from .options.connection import connection_options
from .options.converter import given_options
from .options.module_type import ModuleType, all_names
from .options.server import json_option
from .options.types import Number

EXIT_INTERRUPTED = 130
BEHAVIORS = ("pinned", "auto-upgrade")


@click.command()
@click.argument("spec", metavar="MODULE[:NAME]", type=ModuleType(all_names))
@click.option("--task-queue", "-t", metavar="NAME", help="Poll this. [TASK_QUEUE of the module, else its name]")
@click.option("--reload/--no-reload", default=None, help="Run new code when a file changes. [on, but not with --build]")
@click.option("--build", metavar="ID", help="Be this build of a Worker Deployment.")
@click.option("--deployment", metavar="NAME", help="The deployment that --build belongs to. [the task queue's name]")
@click.option(
    "--versioning-behavior",
    "behavior",
    type=click.Choice(BEHAVIORS),
    help="With --build: of workflows that have none of their own. [pinned]",
)
@click.option("--nexus-endpoint", metavar="NAME", help="Have this endpoint lead to the module's Nexus services.")
@click.option("--max-activities", type=click.IntRange(min=1), metavar="N", help="Run so many at once at most. [100]")
@click.option(
    "--max-workflow-tasks", type=click.IntRange(min=2), metavar="N", help="Work on so many at once at most. [100]"
)
@click.option(
    "--grace",
    type=Number(min=0),
    metavar="SECONDS",
    help=f"What activities get to end when the worker stops. [{GRACE_SECONDS:g}]",
)
@click.option("--metrics-port", type=click.IntRange(0, 65535), metavar="PORT", help="Serve Prometheus on loopback.")
@click.option("--otlp", metavar="URL", help="Send workflows that have ended there as OpenTelemetry spans.")
@click.option("--no-large-payloads", is_flag=True, help="Do not keep large payloads in files.")
@click.option("--identity", metavar="NAME", help="What the server calls this worker. [pid@host]")
@given_options
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
    """Run a worker for a module: package.module or path/to/file.py, narrowed to one workflow, activity, service or
    factory with :NAME.

    It works on all workflows, activities and Nexus services that the module has. When its code changes, a worker with
    the new code takes over; workflows go on from their history. Ctrl-C ends it, a second Ctrl-C at once.

    Exits 130 after Ctrl-C, 0 after SIGTERM, 1 when the module cannot be run, 4 when the server cannot be reached.
    """
    import asyncio

    wanted = _wanted(spec, connection, values)
    reload = _reload(reload, versioned=wanted.build is not None)
    code = asyncio.run(_keep(wanted, reload=reload, metrics_port=metrics_port, as_json=as_json))
    if code == EXIT_INTERRUPTED:
        raise KeyboardInterrupt
    ctx.exit(code)


def _wanted(spec: str, connection: Connection, values: dict[str, Any]) -> WorkerOptions:
    from ..errors import OptionError

    if values["build"] is None:
        for option in ("deployment", "behavior"):
            if values[option] is not None:
                flag = "--versioning-behavior" if option == "behavior" else "--deployment"
                raise OptionError(f"{flag} says more of a build: give that too", hint="--build ID")
    if values["otlp"] is not None:
        from ..otel.otlp import otlp_exporter

        otlp_exporter(values["otlp"])  # what is wrong with it is said at once
    large = not values.pop("no_large_payloads")
    given = {key: value for key, value in values.items() if value is not None}
    return WorkerOptions(spec, connection, large_payloads=large, **given)


def _reload(said: bool | None, *, versioned: bool) -> bool:
    """Whether to watch files: a build is one code, so with `--build` only if it was said."""
    from ..worker.errors import WatchfilesMissing
    from ..worker.source_changes import can_watch

    if said is False or (said is None and versioned):
        return False
    if can_watch():
        return True
    error = WatchfilesMissing(
        "files cannot be watched, so new code runs after a restart by hand",
        hint="pip install 'temporal-devserver[run]'",
    )
    if said:
        raise error
    click.echo(f"note: {error.message}: {error.hint}", err=True)
    return False


async def _keep(wanted: WorkerOptions, *, reload: bool, metrics_port: int | None, as_json: bool) -> int:
    """Keep the worker until a signal; the exit code."""
    import asyncio
    import signal

    from ..worker.supervisor import WorkerSupervisor
    from .render.worker import Lines, json_line

    tell = json_line if as_json else Lines(wanted).show
    keeper = WorkerSupervisor(wanted, tell, reload=reload, metrics_port=metrics_port, quiet=as_json)
    first: list[int] = []

    def asked(number: int) -> None:
        first.append(number)
        keeper.stop()

    loop = asyncio.get_running_loop()
    hung_up = () if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN else (signal.SIGHUP,)  # as nohup wants it
    for number in (signal.SIGINT, signal.SIGTERM, *hung_up):
        loop.add_signal_handler(number, asked, number)
    await keeper.run()
    return EXIT_INTERRUPTED if first[:1] == [signal.SIGINT] else 0
