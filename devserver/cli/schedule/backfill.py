"""`devserver schedule backfill`: run the actions that a schedule missed."""

from __future__ import annotations

from datetime import tzinfo
from typing import TYPE_CHECKING

import click

from ...client.connection import Connection
from ..options.client import call_server
from ..options.common import confirm, json_option, yes_option
from ..options.connection import connection_options
from ..options.named_arguments import NamedArgument, named_arguments
from ..options.schedule import SCHEDULE, overlap_option, policy_or, zone_option
from ..render import schedule as text
from ..render.output import echo_form, echo_lines
from ..render.terminal import wrapped
from .describe import describe_command

if TYPE_CHECKING:
    from temporalio.client import Client

    from ...schedules import BackfillPlan, OverlapPolicy

MANY = 100


@click.command()
@named_arguments(
    SCHEDULE,
    NamedArgument("start", "FROM", ("--start-time",), "First time; same as FROM."),
    NamedArgument("end", "TO", ("--end-time",), "Last time; same as TO."),
)
@overlap_option
@zone_option
@yes_option
@connection_options
@json_option
def backfill(
    connection: Connection,
    schedule_id: str,
    start: str,
    end: str,
    overlap: str | None,
    zone: str | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Run the actions missed between FROM and TO. Asks for confirmation before 100 actions or more."""
    from ...schedules import backfill_schedule, describe_schedule, plan_backfill
    from ...system.time_zones import find_zone, parse_time

    local = find_zone(zone)
    since, until = parse_time(start, local, "FROM"), parse_time(end, local, "TO")

    async def plan(client: Client) -> tuple[BackfillPlan, OverlapPolicy]:
        found = await plan_backfill(client, schedule_id, since, until)
        return found, policy_or(overlap, (await describe_schedule(client, schedule_id)).policy)

    (planned, policy), _ = call_server(connection, plan)
    if not planned.times:
        if as_json:
            echo_form(schedule_id=schedule_id, actions=0, more=False, overlap_policy=policy)
        else:
            echo_lines(wrapped(f"{schedule_id} was not due from {start} to {end}: nothing to do"))
        raise click.exceptions.Exit(1)
    if not as_json:
        echo_lines(wrapped(f"{schedule_id} was due {_when(planned, local)}; overlap policy {policy}"))
        if policy in ("skip", "buffer_one") and len(planned.times) > 1:
            note = f"note: with {policy} most actions start no run; --overlap-policy BufferAll or AllowAll starts all"
            echo_lines(wrapped(note))
    if len(planned.times) >= MANY and not yes:
        confirm("Continue?")
    call_server(connection, lambda client: backfill_schedule(client, schedule_id, since, until, policy))
    if as_json:
        echo_form(schedule_id=schedule_id, actions=len(planned.times), more=planned.more, overlap_policy=policy)
    else:
        echo_lines(wrapped(f"backfilling; see its progress with: {describe_command(connection, schedule_id)}"))


def _when(planned: BackfillPlan, zone: tzinfo | None) -> str:
    first, last = (text.moment(time, zone) for time in (planned.times[0], planned.times[-1]))
    if len(planned.times) == 1:
        return f"once, {first}"
    return f"{len(planned.times):,}{' or more' * planned.more} times, {first} to {last}"
