"""`devserver deployment`: Worker Versioning: which build is current, and moving work to another."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from ..client.connection import Connection
from ..client.target import Target, find_target
from ..errors import OptionError
from .groups import CommandGroup
from .options.client import call_server
from .options.common import json_option, timeout_option, watch_option
from .options.connection import connection_options
from .options.named_arguments import NamedArgument, named_arguments
from .render import deployment as text
from .render.output import echo_json, echo_lines
from .render.terminal import wrapped

if TYPE_CHECKING:
    from ..deployments import RolloutChange

ALIASES = {
    "set-current-version": "set-current",
    "set-ramping-version": "ramp",
    "list": "status",
    "describe": "status",
    "ls": "status",
}
missing_option = click.option(
    "--ignore-missing-task-queues",
    is_flag=True,
    help="Proceed even if the build lacks a worker for a task queue of the current build.",
)
unpolled_option = click.option(
    "--allow-no-pollers", is_flag=True, help="Proceed even if no worker of this build is polling."
)


DEPLOYMENT = NamedArgument("deployment", "DEPLOYMENT", ("--deployment-name",), "Deployment name; same as DEPLOYMENT.")
BUILD = NamedArgument("build", "BUILD", ("--build-id",), "Build id; same as BUILD.")
PERCENT = NamedArgument("percent", "PERCENT", ("--percentage",), "Percentage; same as PERCENT.")


@click.group(cls=CommandGroup, aliases=ALIASES)
def deployment() -> None:
    """Roll out and roll back builds (Worker Versioning): which build of a deployment is current.

    Workers create a deployment and its builds: devserver run MODULE --deployment-name NAME --build-id BUILD.
    """


@deployment.command(short_help="Show each build: its state, workers and open workflows.")
@named_arguments(replace(DEPLOYMENT, required=False))
@click.option("--all", "everything", is_flag=True, help="Include idle builds without workers.")
@connection_options
@watch_option()
@json_option
def status(
    connection: Connection, deployment: str | None, everything: bool, watch: float | None, as_json: bool
) -> None:
    """Show the deployments: each build with its state, its workers, and its open workflows."""
    import asyncio

    from .render.deployment_status import StatusQuery, show, watch_deployments

    query = StatusQuery(connection, deployment, everything=everything)
    if watch is None:
        show(asyncio.run(query.look()), as_json)
        return
    asyncio.run(watch_deployments(query, watch, as_json))


@deployment.command("set-current", short_help="Make a build current.")
@named_arguments(DEPLOYMENT, replace(BUILD, required=False))
@click.option("--unversioned", is_flag=True, help="Route to workers without a version, instead of a BUILD.")
@missing_option
@unpolled_option
@click.option("--yes", "-y", is_flag=True, hidden=True, expose_value=False, help="Accepted; nothing is asked.")
@connection_options
@json_option
def set_current(
    connection: Connection, deployment: str, build: str | None, unversioned: bool, as_json: bool, **forced: Any
) -> None:
    """Make a build current: new workflows start on it, and auto-upgrade workflows move to it with their next task.

    Pinned workflows stay on their build. A ramp to the same build ends. Also called set-current-version.
    """
    if (build is None) != unversioned:
        raise click.UsageError("name a BUILD, or --unversioned")
    from ..deployments import set_current as change

    forced["max_versions"] = _max_versions(connection)
    _show(*call_server(connection, lambda client: change(client, deployment, build, **forced)), as_json)


@deployment.command(short_help="Route a share of the work to a build.")
@named_arguments(DEPLOYMENT, BUILD, PERCENT)
@missing_option
@unpolled_option
@click.option("--yes", "-y", is_flag=True, hidden=True, expose_value=False, help="Accepted; nothing is asked.")
@connection_options
@json_option
def ramp(
    connection: Connection,
    deployment: str,
    build: str,
    percent: str,
    as_json: bool,
    **forced: Any,
) -> None:
    """Route a share of the work to a build: PERCENT of new and of auto-upgrade workflows, chosen by their ids.

    Also called set-ramping-version.
    """
    from ..deployments import ramp as change

    share = _percentage(percent)
    forced["max_versions"] = _max_versions(connection)
    _show(*call_server(connection, lambda client: change(client, deployment, build, share, **forced)), as_json)


@deployment.command(short_help="Undo the last rollout step.")
@named_arguments(DEPLOYMENT)
@unpolled_option
@connection_options
@json_option
def rollback(connection: Connection, deployment: str, as_json: bool, allow_no_pollers: bool) -> None:
    """Undo the last rollout step: end the ramp to a new build, else make the previous current build current again.

    Refuses where it is not clear which build that was, and names the candidates.
    """
    from ..deployments import rollback as change

    _show(
        *call_server(connection, lambda client: change(client, deployment, allow_no_pollers=allow_no_pollers)), as_json
    )


@deployment.command("wait-drained", short_help="Wait until the workers of a build can stop.")
@named_arguments(DEPLOYMENT, BUILD)
@timeout_option("10m", "How long to wait.")
@connection_options
@json_option
@click.pass_context
def wait_drained(
    ctx: click.Context, /, connection: Connection, deployment: str, build: str, timeout: float, as_json: bool
) -> None:
    """Wait until no open workflow is pinned to a build, so that its workers can stop.

    Exits 1 at the timeout, and names the workflows that are still open.
    """
    import asyncio

    from .render.deployment_drain import wait

    ctx.exit(0 if asyncio.run(wait(connection, deployment, build, timeout, as_json)) else 1)


def _max_versions(connection: Connection) -> int | None:
    """How many versions a managed instance allows in a deployment; None for another server."""
    from ..config.server_options import dynamic_config
    from ..deployments.errors import MAX_VERSIONS, STOCK_MAX_VERSIONS
    from ..instances.folder import InstanceFolder
    from ..system.paths import Paths

    target = find_target(connection)
    record = None if target.name is None else InstanceFolder(Paths.default(), target.name).read_record()
    if record is None:
        return None
    value = dynamic_config(record.options).get(MAX_VERSIONS, str(STOCK_MAX_VERSIONS))
    return int(value) if value.isdecimal() else None


def _percentage(text: str) -> float:
    with contextlib.suppress(ValueError):
        if 0 <= float(text) <= 100:
            return float(text)
    raise OptionError(f"the percentage must be a number from 0 to 100, not {text}")


def _show(change: RolloutChange, target: Target, as_json: bool) -> None:
    if as_json:
        echo_json(text.change_json(change, target))
        return
    echo_lines(wrapped(text.change(change), hanging="  "))
