"""`devserver deploy`: Worker Versioning by hand: which build has the work, and moving it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from ..client.target import Connection, Target
from ..config.server_options import parse_duration
from .options.client import asked, show_lines
from .options.connection import connection_options
from .options.server import json_option, watch_option
from .options.types import Number
from .render import deployment as text

if TYPE_CHECKING:
    from ..deployments import RolloutChange

deployment_argument = click.argument("deployment", metavar="DEPLOYMENT")
build_argument = click.argument("build", metavar="BUILD")
missing_option = click.option(
    "--ignore-missing-task-queues",
    is_flag=True,
    help="Do it though the build has no worker for a task queue of the current build.",
)
unpolled_option = click.option("--allow-no-pollers", is_flag=True, help="Do it though no worker of the build polls.")


@click.group()
def deploy() -> None:
    """Worker Versioning: which build of a worker deployment has the work, and moving it to another.

    Workers make a deployment and its builds known: devserver run MODULE --deployment NAME --build BUILD.
    """


@deploy.command(short_help="Show each build: its state, workers and open workflows.")
@click.argument("deployment", required=False, metavar="[DEPLOYMENT]")
@click.option("--all", "everything", is_flag=True, help="Show also the builds that have nothing to do and no workers.")
@connection_options
@watch_option()
@json_option
def status(
    connection: Connection, deployment: str | None, everything: bool, watch: float | None, as_json: bool
) -> None:
    """Show the deployments: each build with its state, its workers, and the workflows that are open on it."""
    import asyncio

    from .render.deployment_status import Asking, show, view

    asking = Asking(connection, deployment, everything=everything)
    if watch is None:
        show(asyncio.run(asking.look()), as_json)
        return
    from .render.live import watch as watching

    asyncio.run(watching(asking.look, view(watch, as_json), watch))


@deploy.command("set-current", short_help="Give all the work to a build.")
@deployment_argument
@click.argument("build", required=False, metavar="BUILD")
@click.option("--unversioned", is_flag=True, help="Give the work to workers without a version, instead of a BUILD.")
@missing_option
@unpolled_option
@connection_options
@json_option
def set_current(
    connection: Connection, deployment: str, build: str | None, unversioned: bool, as_json: bool, **forced: Any
) -> None:
    """Make a build current: new workflows start there, and those that upgrade go there with their next task.

    Pinned workflows stay on their build. A ramp to the same build is over then.
    """
    if (build is None) != unversioned:
        raise click.UsageError("say which: a BUILD or --unversioned")
    from ..deployments import set_current as change

    _tell(*asked(connection, lambda client: change(client, deployment, build, **forced)), as_json)


@deploy.command(short_help="Give a share of the work to a build.")
@deployment_argument
@build_argument
@click.argument("percent", type=Number(0, 100))
@missing_option
@unpolled_option
@connection_options
@json_option
def ramp(connection: Connection, deployment: str, build: str, percent: float, as_json: bool, **forced: Any) -> None:
    """Send a share of the work to a build: PERCENT of new workflows and of those that upgrade, by their ids."""
    from ..deployments import ramp as change

    _tell(*asked(connection, lambda client: change(client, deployment, build, percent, **forced)), as_json)


@deploy.command(short_help="Take the last step back.")
@deployment_argument
@unpolled_option
@connection_options
@json_option
def rollback(connection: Connection, deployment: str, as_json: bool, allow_no_pollers: bool) -> None:
    """Take the last step of a rollout back: end a ramp to a new build, else make the build before current again.

    Refuses where it is not clear which build that was, and names the candidates.
    """
    from ..deployments import rollback as change

    _tell(*asked(connection, lambda client: change(client, deployment, allow_no_pollers=allow_no_pollers)), as_json)


@deploy.command("wait-drained", short_help="Wait until the workers of a build may go.")
@deployment_argument
@build_argument
@click.option("--timeout", default="10m", show_default=True, metavar="TIME", help="Wait no longer.")
@connection_options
@json_option
@click.pass_context
def wait_drained(
    ctx: click.Context, /, connection: Connection, deployment: str, build: str, timeout: str, as_json: bool
) -> None:
    """Wait until no open workflow is pinned to a build, so that its workers may go.

    Exits 1 where that does not come in time, and names the workflows.
    """
    import asyncio

    from .render.deployment_drain import wait

    limit = parse_duration(timeout, "--timeout")
    ctx.exit(0 if asyncio.run(wait(connection, deployment, build, limit, as_json)) else 1)


def _tell(did: RolloutChange, target: Target, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(text.change_json(did, target), indent=2))
        return
    show_lines(text.wrapped(text.change(did)))
