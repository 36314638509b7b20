"""`devserver schedule list`: list the schedules of a namespace."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ...client.connection import Connection
from ..options.client import call_server
from ..options.common import json_option, limit_option
from ..options.connection import connection_options
from ..options.schedule import zone_option
from ..render import schedule as text
from ..render import schedule_json as as_plain
from ..render.output import echo_form, echo_lines
from ..render.terminal import wrapped

if TYPE_CHECKING:
    from temporalio.client import Client

    from ...schedules import ScheduleRow


@click.command(name="list")
@click.option(
    "--query", metavar="FILTER", help="Only schedules that match a list filter: \"ScheduleId STARTS_WITH 'night'\"."
)
@limit_option(1000)
@zone_option
@connection_options
@json_option
def list_(connection: Connection, query: str | None, limit: int, zone: str | None, as_json: bool) -> None:
    """List the schedules of a namespace."""
    from ...schedules import list_schedules
    from ...system.time_zones import find_zone

    found = find_zone(zone)

    async def look(client: Client) -> list[ScheduleRow]:
        return [row async for row in list_schedules(client, query=query or "", limit=limit + 1)]

    rows, target = call_server(connection, look)
    if as_json:
        echo_form(
            address=target.address,
            namespace=target.namespace,
            schedules=[as_plain.row_json(row) for row in rows[:limit]],
        )
    elif not rows:
        echo_lines(wrapped(f"no schedules in the namespace {target.namespace} at {target.label}"))
    else:
        echo_lines(text.listed(rows[:limit], found))
    if len(rows) > limit:
        click.echo(f"more than {limit:,} schedules: narrow the list with --query, or raise --limit", err=True)
