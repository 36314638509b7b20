"""`devserver schedule pause|unpause|delete`: what changes a schedule's state and says only that it is done."""

from __future__ import annotations

import click

from ...client.connection import Connection
from ..options.client import call_server
from ..options.common import confirm, json_option, yes_option
from ..options.connection import connection_options
from ..options.schedule import schedule_argument
from ..render.output import echo_form
from ..render.terminal import clean


@click.command()
@schedule_argument
@click.option("--reason", default="paused with devserver", metavar="TEXT", help="Note for other users.")
@connection_options
@json_option
def pause(connection: Connection, schedule_id: str, reason: str, as_json: bool) -> None:
    """Pause a schedule: it does not act until it is unpaused. Open runs continue."""
    from ...schedules import pause_schedule

    call_server(connection, lambda client: pause_schedule(client, schedule_id, reason))
    _echo_done("paused", schedule_id, as_json)


@click.command()
@schedule_argument
@click.option("--reason", default="unpaused with devserver", metavar="TEXT", help="Note for other users.")
@connection_options
@json_option
def unpause(connection: Connection, schedule_id: str, reason: str, as_json: bool) -> None:
    """Unpause a schedule: it acts again."""
    from ...schedules import unpause_schedule

    call_server(connection, lambda client: unpause_schedule(client, schedule_id, reason))
    _echo_done("unpaused", schedule_id, as_json)


@click.command()
@schedule_argument
@yes_option
@connection_options
@json_option
def delete(connection: Connection, schedule_id: str, yes: bool, as_json: bool) -> None:
    """Delete a schedule. Open runs continue."""
    from ...schedules import delete_schedule

    if not yes:
        confirm(f"Delete the schedule {clean(schedule_id)}?")
    call_server(connection, lambda client: delete_schedule(client, schedule_id))
    _echo_done("deleted", schedule_id, as_json)


def _echo_done(result: str, schedule_id: str, as_json: bool) -> None:
    if as_json:
        echo_form(schedule_id=schedule_id, result=result)
    else:
        click.echo(clean(f"{result} {schedule_id}"))
