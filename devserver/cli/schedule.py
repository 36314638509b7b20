"""`devserver schedule`: makes, lists, previews and steers schedules."""

from __future__ import annotations

import json
from collections.abc import Awaitable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..client.target import Connection
from ..errors import OptionError
from .options.client import asked, show_lines
from .options.connection import connection_options
from .options.schedule import (
    PolicyType,
    duration,
    make_spec,
    overlap_option,
    policy_or,
    schedule_argument,
    spec_options,
    zone_option,
)
from .options.schedule_steering import backfill, delete, pause, trigger, unpause
from .options.server import json_option
from .render import schedule as text
from .render import schedule_json as as_plain
from .render.schedule_preview import previewed

if TYPE_CHECKING:
    from temporalio.client import Client

    from ..schedules import SchedulePreview, ScheduleRow

T = TypeVar("T")

SHOWN = 3
MOST_ACTIONS = 2**63 - 1


@click.group()
def schedule() -> None:
    """Make, list, preview and steer schedules."""


@schedule.command(short_help="Make a schedule.")
@schedule_argument
@click.option("--type", "workflow_type", required=True, metavar="NAME", help="The workflow that it starts.")
@click.option("--task-queue", required=True, metavar="NAME", help="Where workers of that workflow poll.")
@spec_options
@overlap_option
@click.option("--input", "-i", "inputs", multiple=True, metavar="JSON", help="An argument; repeatable, in order.")
@click.option("--workflow-id", metavar="ID", help="What ids of runs begin with. [the schedule's]")
@click.option("--execution-timeout", metavar="TIME", help="For each run, all its retries included.")
@click.option("--run-timeout", metavar="TIME", help="For each run.")
@click.option(
    "--remaining-actions", type=click.IntRange(1, MOST_ACTIONS), metavar="N", help="Act so often, then no more."
)
@click.option("--pause-on-failure", is_flag=True, help="Pause it when a run fails or times out.")
@click.option("--paused", is_flag=True, help="It does not act until it is unpaused.")
@click.option("--note", default="", metavar="TEXT", help="Why it is as it is, for others.")
@click.option("--memo", "memos", multiple=True, metavar="NAME=JSON", help="What is to be kept with it; repeatable.")
@zone_option
@connection_options
def create(connection: Connection, schedule_id: str, zone: str | None, **values: Any) -> None:
    """Make a schedule that starts a workflow at the times given; without times it is only triggered."""
    from ..schedules import NewSchedule, PreviewOptions, create_schedule, find_zone, preview_schedule

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

    async def make(client: Client) -> SchedulePreview:
        await create_schedule(client, new)
        return await preview_schedule(client, schedule_id, PreviewOptions(count=SHOWN))

    preview, _ = asked(connection, make)
    show_lines(text.wrapped(f"created {schedule_id}: {new.workflow_type} on {new.task_queue}"))
    show_lines(previewed(preview, found, zone))


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

    async def look(client: Client) -> list[ScheduleRow]:
        return [row async for row in list_schedules(client, query=query, limit=limit + 1)]

    rows, target = asked(connection, look)
    if as_json:
        click.echo(json.dumps([as_plain.row_json(row) for row in rows[:limit]], indent=2))
    elif not rows:
        show_lines(text.wrapped(f"no schedules in the namespace {target.namespace} at {target.label}"))
    else:
        show_lines(text.listed(rows[:limit], found))
    if len(rows) > limit:
        click.echo(f"there are more than {limit:,}: narrow it with --query, or raise --limit", err=True)


@schedule.command(short_help="Tell all of one schedule.")
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
        click.echo(json.dumps(as_plain.description_json(found, target), indent=2))
    else:
        show_lines(text.described(found, local))


@schedule.command(short_help="Tell when one is due, and what overlap policies would do.")
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
    server is given a schedule that never acts and is deleted at once.
    """
    from ..schedules import PreviewOptions, find_zone, parse_time, preview_schedule, preview_spec

    local = find_zone(zone)
    after, only = values.pop("after"), values.pop("only")
    wanted = PreviewOptions(
        count=values.pop("count"),
        after=None if after is None else parse_time(after, local, "--after"),
        run_length=duration(values.pop("run_length"), "--run-length"),
        cancel_length=duration(values.pop("cancel_length"), "--cancel-length") or timedelta(0),
    )
    given = any(values.values())
    window = duration(values.pop("catchup_window"), "--catchup-window")
    spec = make_spec(values, local)
    if given if schedule_id else spec.empty:
        raise OptionError("preview takes the id of a schedule, or the times of one", hint="as in --cron '0 9 * * *'")

    def look(client: Client) -> Awaitable[SchedulePreview]:
        if schedule_id is not None:
            return preview_schedule(client, schedule_id, wanted)
        return preview_spec(client, spec, wanted, catchup_window=window)

    found, target = asked(connection, look)
    if as_json:
        click.echo(json.dumps(as_plain.preview_json(found, target, local, only), indent=2))
    else:
        show_lines(previewed(found, local, zone, only, away=after is None))


for command in (trigger, backfill, pause, unpause, delete):
    schedule.add_command(command)
