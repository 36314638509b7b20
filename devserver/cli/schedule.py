"""`devserver schedule`: makes, lists, previews and steers schedules."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..connection import Connection, Target
from ..errors import OptionError
from . import _schedule_text as text
from ._connection_options import connection_options
from ._instance_options import json_option, yes_option
from ._schedule_options import (
    PolicyType,
    duration,
    make_spec,
    overlap_option,
    policy_or,
    spec_options,
    zone_option,
)
from ._stuck_text import clean

if TYPE_CHECKING:
    from temporalio.client import Client

    from ..schedules import Preview, Row, Triggered

T = TypeVar("T")

SHOWN = 3
MANY = 100
schedule_argument = click.argument("schedule_id", metavar="SCHEDULE_ID")


@click.group()
def schedule() -> None:
    """Make, list, preview and steer schedules."""


def asked(connection: Connection, work: Callable[[Client], Awaitable[T]]) -> tuple[T, Target]:
    """What `work` brings with a client of the server that is meant, and which server that was."""
    import asyncio

    from ..connection import connect, find_target

    target = find_target(connection)

    async def run() -> T:
        return await work(await connect(target))

    return asyncio.run(run()), target


def show(lines: Iterable[str]) -> None:
    """Print lines."""
    for line in lines:
        click.echo(line)


@schedule.command()
@schedule_argument
@click.option("--type", "workflow_type", required=True, metavar="NAME", help="The workflow that it starts.")
@click.option("--task-queue", required=True, metavar="NAME", help="Where workers of that workflow poll.")
@spec_options
@overlap_option
@click.option("--input", "-i", "inputs", multiple=True, metavar="JSON", help="An argument; repeatable, in order.")
@click.option("--workflow-id", metavar="ID", help="What ids of runs begin with. [the schedule's]")
@click.option("--execution-timeout", metavar="TIME", help="For each run, all its retries included.")
@click.option("--run-timeout", metavar="TIME", help="For each run.")
@click.option("--remaining-actions", type=click.IntRange(min=1), metavar="N", help="Act so often, then no more.")
@click.option("--pause-on-failure", is_flag=True, help="Pause it when a run fails or times out.")
@click.option("--paused", is_flag=True, help="It does not act until it is unpaused.")
@click.option("--note", default="", metavar="TEXT", help="Why it is as it is, for others.")
@click.option("--memo", "memos", multiple=True, metavar="NAME=JSON", help="What is to be kept with it; repeatable.")
@zone_option
@connection_options
def create(connection: Connection, schedule_id: str, zone: str | None, **values: Any) -> None:
    """Make a schedule that starts a workflow at the times given; without times it is only triggered."""
    from datetime import datetime, timezone

    from ..schedules import NewSchedule, create_schedule, find_zone, preview_schedule

    found = find_zone(zone)
    spec = make_spec(values, found)
    new = NewSchedule(
        schedule_id=schedule_id,
        spec=spec,
        input=tuple(_json(each, "--input") for each in values.pop("inputs")),
        memo=dict(_pair(each) for each in values.pop("memos")),
        policy=policy_or(values.pop("overlap"), "skip"),
        catchup_window=duration(values.pop("catchup_window"), "--catchup-window"),
        execution_timeout=duration(values.pop("execution_timeout"), "--execution-timeout"),
        run_timeout=duration(values.pop("run_timeout"), "--run-timeout"),
        **values,
    )

    async def make(client: Client) -> Preview:
        await create_schedule(client, new)
        return await preview_schedule(client, schedule_id, count=SHOWN, after=datetime.now(timezone.utc))

    preview, _ = asked(connection, make)
    show(text.wrapped(f"created {schedule_id}: {new.workflow_type} on {new.task_queue}"))
    show(text.previewed(preview, found, zone))


def _json(value: str, option: str) -> Any:
    try:
        return json.loads(value)
    except ValueError as error:
        hint = f"a text in JSON has quotes: {option} {json.dumps(value)!r}"
        raise OptionError(f"{option} {value!r} is not JSON: {error}", hint=hint) from None


def _pair(value: str) -> tuple[str, Any]:
    name, equals, found = value.partition("=")
    if not name or not equals:
        raise OptionError(f"--memo {value!r} is not NAME=JSON", hint="as in --memo owner='\"ann\"'")
    return name, _json(found, "--memo")


@schedule.command(name="list")
@click.option("--query", "-q", default="", metavar="FILTER", help="Only these: \"ScheduleId STARTS_WITH 'night'\".")
@click.option("--limit", type=click.IntRange(min=1), default=1000, show_default=True, help="So many at most.")
@zone_option
@connection_options
@json_option
def list_(connection: Connection, query: str, limit: int, zone: str | None, as_json: bool) -> None:
    """List the schedules of a namespace."""
    from ..schedules import find_zone, list_schedules

    found = find_zone(zone)

    async def look(client: Client) -> list[Row]:
        return [row async for row in list_schedules(client, query=query, limit=limit + 1)]

    rows, target = asked(connection, look)
    if as_json:
        click.echo(json.dumps([text.row_json(row) for row in rows[:limit]], indent=2))
    elif not rows:
        show(text.wrapped(f"no schedules in the namespace {target.namespace} at {target.label}"))
    else:
        show(text.listed(rows[:limit], found))
    if len(rows) > limit:
        click.echo(f"there are more than {limit:,}: narrow it with --query, or raise --limit", err=True)


@schedule.command()
@schedule_argument
@zone_option
@connection_options
@json_option
def describe(connection: Connection, schedule_id: str, zone: str | None, as_json: bool) -> None:
    """Tell all of one schedule: what it starts, how it is, its last runs."""
    from ..schedules import describe_schedule, find_zone

    local = find_zone(zone)
    found, target = asked(connection, lambda client: describe_schedule(client, schedule_id))
    if as_json:
        click.echo(json.dumps(text.description_json(found, target), indent=2))
    else:
        show(text.described(found, local))


@schedule.command()
@click.argument("schedule_id", metavar="[SCHEDULE_ID]", required=False)
@spec_options
@click.option("--count", type=click.IntRange(1, 1000), default=10, show_default=True, help="So many times.")
@click.option("--after", metavar="TIME", help="Those later than this time. [now]")
@click.option("--run-length", metavar="TIME", help="Show what each overlap policy would do with runs of this length.")
@click.option("--cancel-length", default="0s", metavar="TIME", help="A run ends so long after it is cancelled. [0s]")
@click.option("--overlap", "only", multiple=True, type=PolicyType(), help="Show this policy only; repeatable.")
@zone_option
@connection_options
@json_option
def preview(connection: Connection, schedule_id: str | None, zone: str | None, as_json: bool, **values: Any) -> None:
    """Tell when a schedule is due next and what each overlap policy would do, on a timeline.

    Of a schedule that there is, or of the times that the options give, as they are given to create; for these the
    server is given a paused schedule that is deleted at once.
    """
    from ..schedules import find_zone, parse_time, preview_schedule, preview_spec

    local = find_zone(zone)
    after = values.pop("after")
    how: dict[str, Any] = {
        "count": values.pop("count"),
        "after": None if after is None else parse_time(after, local, "--after"),
        "run_length": duration(values.pop("run_length"), "--run-length"),
        "cancel_length": duration(values.pop("cancel_length"), "--cancel-length") or timedelta(0),
    }
    only = values.pop("only")
    given = any(values.values())
    window = duration(values.pop("catchup_window"), "--catchup-window")
    spec = make_spec(values, local)
    if given if schedule_id else spec.empty:
        raise OptionError("preview takes the id of a schedule, or the times of one", hint="as in --cron '0 9 * * *'")

    async def look(client: Client) -> Preview:
        if schedule_id is not None:
            return await preview_schedule(client, schedule_id, **how)
        return await preview_spec(client, spec, catchup_window=window, **how)

    found, target = asked(connection, look)
    if as_json:
        click.echo(json.dumps(text.preview_json(found, target, local, only), indent=2))
    else:
        show(text.previewed(found, local, zone, only, away=after is None))


@schedule.command()
@schedule_argument
@overlap_option
@connection_options
@click.pass_context
def trigger(ctx: click.Context, /, connection: Connection, schedule_id: str, overlap: str | None) -> None:
    """Have a schedule act now, by --overlap or its own policy. Exits 1 when the policy skips it."""
    from ..schedules import trigger_schedule

    policy = policy_or(overlap, "skip") if overlap else None
    done, _ = asked(connection, lambda client: trigger_schedule(client, schedule_id, policy))
    show(text.wrapped(_did(schedule_id, done)))
    ctx.exit(1 if done.what == "skipped" else 0)


def _did(schedule_id: str, done: Triggered) -> str:
    if done.what == "started":
        return f"started {done.workflow_id}"
    if done.what == "skipped":
        return f"{schedule_id} skipped it: a run is open (--overlap allow_all starts one beside it)"
    if done.what == "buffered":
        return f"{schedule_id} starts it when the open run ends"
    return f"asked {schedule_id} to act; it has not yet (devserver schedule describe {schedule_id})"


@schedule.command()
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
    from ..schedules import Backfill, Policy, backfill_schedule, describe_schedule, find_zone, parse_time, plan_backfill

    local = find_zone(zone)
    since, until = parse_time(start, local, "FROM"), parse_time(end, local, "TO")

    async def plan(client: Client) -> tuple[Backfill, Policy]:
        found = await plan_backfill(client, schedule_id, since, until)
        return found, policy_or(overlap, (await describe_schedule(client, schedule_id)).policy)

    (planned, policy), _ = asked(connection, plan)
    count = f"{len(planned.times):,}" + (" or more" if planned.more else "")
    if not planned.times:
        show(text.wrapped(f"{schedule_id} was not due from {start} to {end}: nothing to do"))
        raise click.exceptions.Exit(1)
    first, last = (text.moment(each, local) for each in (planned.times[0], planned.times[-1]))
    show(text.wrapped(f"{schedule_id} was due {count} times, {first} to {last}; overlap policy {policy}"))
    if policy in ("skip", "buffer_one") and len(planned.times) > 1:
        show(text.wrapped(f"note: by {policy} most of them start nothing; --overlap buffer_all or allow_all runs all"))
    if len(planned.times) >= MANY and not yes:
        confirmed("Go on?")
    asked(connection, lambda client: backfill_schedule(client, schedule_id, since, until, policy))
    show(text.wrapped(f"backfilling; devserver schedule describe {schedule_id} shows how far it is"))


@schedule.command()
@schedule_argument
@click.option("--note", default="paused with devserver", metavar="TEXT", help="Why, for others.")
@connection_options
def pause(connection: Connection, schedule_id: str, note: str) -> None:
    """Stop a schedule from acting; open runs go on."""
    from ..schedules import pause_schedule

    asked(connection, lambda client: pause_schedule(client, schedule_id, note))
    click.echo(clean(f"paused {schedule_id}"))


@schedule.command()
@schedule_argument
@click.option("--note", default="unpaused with devserver", metavar="TEXT", help="Why, for others.")
@connection_options
def unpause(connection: Connection, schedule_id: str, note: str) -> None:
    """Let a schedule act again."""
    from ..schedules import unpause_schedule

    asked(connection, lambda client: unpause_schedule(client, schedule_id, note))
    click.echo(clean(f"unpaused {schedule_id}"))


@schedule.command()
@schedule_argument
@yes_option
@connection_options
def delete(connection: Connection, schedule_id: str, yes: bool) -> None:
    """Delete a schedule; open runs go on."""
    from ..schedules import delete_schedule

    if not yes:
        confirmed(f"Delete the schedule {clean(schedule_id)}?")
    asked(connection, lambda client: delete_schedule(client, schedule_id))
    click.echo(clean(f"deleted {schedule_id}"))


def confirmed(question: str) -> None:
    """Go on only if the user says so."""
    if not click.confirm(question):
        click.echo("nothing was changed")
        raise click.exceptions.Exit(1)
