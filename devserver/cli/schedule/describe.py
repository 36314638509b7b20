"""`devserver schedule describe`: show a schedule in full."""

from __future__ import annotations

import shlex

import click

from ...client.connection import Connection
from ..options.client import call_server
from ..options.common import json_option
from ..options.connection import connection_options, words_of
from ..options.schedule import schedule_argument, zone_option
from ..render import schedule as text
from ..render import schedule_json as as_plain
from ..render.output import echo_json, echo_lines


@click.command()
@schedule_argument
@zone_option
@connection_options
@json_option
def describe(connection: Connection, schedule_id: str, zone: str | None, as_json: bool) -> None:
    """Show a schedule: its workflow, times, state and last runs."""
    from ...schedules import describe_schedule
    from ...system.time_zones import find_zone

    local = find_zone(zone)
    found, target = call_server(connection, lambda client: describe_schedule(client, schedule_id))
    if as_json:
        echo_json(as_plain.description_json(found, target))
    else:
        echo_lines(text.described(found, local))


def describe_command(connection: Connection, schedule_id: str) -> str:
    """The command that shows the schedule."""
    return shlex.join(["devserver", "schedule", "describe", schedule_id, *words_of(connection)])
