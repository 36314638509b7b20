"""`devserver schedule trigger|backfill|pause|unpause|delete`: what steers a schedule that there is."""

from __future__ import annotations

import shlex
from datetime import tzinfo
from typing import TYPE_CHECKING

import click

from ...client.target import Connection
from ..render.schedule import moment, wrapped
from ..render.terminal import clean
from .client import asked, show_lines
from .confirmation import confirm, yes_option
from .connection import connection_options, words_of
from .schedule import overlap_option, policy_or, schedule_argument, zone_option

if TYPE_CHECKING:
    from temporalio.client import Client

    from ...schedules import BackfillPlan, OverlapPolicy, TriggerResult

MANY = 100


@click.command()
@schedule_argument
@overlap_option
@connection_options
@click.pass_context
def trigger(ctx: click.Context, /, connection: Connection, schedule_id: str, overlap: str | None) -> None:
    """Have a schedule act now, by --overlap or its own policy. Exits 1 when the policy skips it."""
    from ...schedules import trigger_schedule

    policy = policy_or(overlap, "skip") if overlap else None
    done, _ = asked(connection, lambda client: trigger_schedule(client, schedule_id, policy))
    show_lines(wrapped(_did(schedule_id, done, _describing(connection, schedule_id))))
    ctx.exit(1 if done.what == "skipped" else 0)


def _did(schedule_id: str, done: TriggerResult, describing: str) -> str:
    if done.what == "started":
        return f"started {done.workflow_id}"
    if done.what == "skipped":
        return f"{schedule_id} skipped it: a run is open (--overlap allow_all starts one beside it)"
    if done.what == "buffered":
        return f"{schedule_id} starts it when the open run ends"
    return f"asked {schedule_id} to act; it has not yet ({describing})"


def _describing(connection: Connection, schedule_id: str) -> str:
    """The command that shows more."""
    return shlex.join(["devserver", "schedule", "describe", schedule_id, *words_of(connection)])


@click.command()
@schedule_argument
@click.argument("start", metavar="FROM")
@click.argument("end", metavar="TO")
@overlap_option
@zone_option
@yes_option
@connection_options
def backfill(
    connection: Connection, schedule_id: str, start: str, end: str, overlap: str | None, zone: str | None, yes: bool
) -> None:
    """Have a schedule act for each time it was due from FROM to TO. Asks first when that is 100 times or more."""
    from ...schedules import backfill_schedule, describe_schedule, find_zone, parse_time, plan_backfill

    local = find_zone(zone)
    since, until = parse_time(start, local, "FROM"), parse_time(end, local, "TO")

    async def plan(client: Client) -> tuple[BackfillPlan, OverlapPolicy]:
        found = await plan_backfill(client, schedule_id, since, until)
        return found, policy_or(overlap, (await describe_schedule(client, schedule_id)).policy)

    (planned, policy), _ = asked(connection, plan)
    if not planned.times:
        show_lines(wrapped(f"{schedule_id} was not due from {start} to {end}: nothing to do"))
        raise click.exceptions.Exit(1)
    show_lines(wrapped(f"{schedule_id} was due {_when(planned, local)}; overlap policy {policy}"))
    if policy in ("skip", "buffer_one") and len(planned.times) > 1:
        show_lines(wrapped(f"note: by {policy} most of them start nothing; --overlap buffer_all or allow_all runs all"))
    if len(planned.times) >= MANY and not yes:
        confirm("Go on?")
    asked(connection, lambda client: backfill_schedule(client, schedule_id, since, until, policy))
    show_lines(wrapped(f"backfilling; {_describing(connection, schedule_id)} shows how far it is"))


def _when(planned: BackfillPlan, zone: tzinfo | None) -> str:
    first, last = (moment(each, zone) for each in (planned.times[0], planned.times[-1]))
    if len(planned.times) == 1:
        return f"once, {first}"
    return f"{len(planned.times):,}{' or more' * planned.more} times, {first} to {last}"


@click.command()
@schedule_argument
@click.option("--note", default="paused with devserver", metavar="TEXT", help="Why, for others.")
@connection_options
def pause(connection: Connection, schedule_id: str, note: str) -> None:
    """Stop a schedule from acting; open runs go on."""
    from ...schedules import pause_schedule

    asked(connection, lambda client: pause_schedule(client, schedule_id, note))
    click.echo(clean(f"paused {schedule_id}"))


@click.command()
@schedule_argument
@click.option("--note", default="unpaused with devserver", metavar="TEXT", help="Why, for others.")
@connection_options
def unpause(connection: Connection, schedule_id: str, note: str) -> None:
    """Let a schedule act again."""
    from ...schedules import unpause_schedule

    asked(connection, lambda client: unpause_schedule(client, schedule_id, note))
    click.echo(clean(f"unpaused {schedule_id}"))


@click.command()
@schedule_argument
@yes_option
@connection_options
def delete(connection: Connection, schedule_id: str, yes: bool) -> None:
    """Delete a schedule; open runs go on."""
    from ...schedules import delete_schedule

    if not yes:
        confirm(f"Delete the schedule {clean(schedule_id)}?")
    asked(connection, lambda client: delete_schedule(client, schedule_id))
    click.echo(clean(f"deleted {schedule_id}"))
