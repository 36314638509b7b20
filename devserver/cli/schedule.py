"""`devserver schedule`: create, list, preview and manage schedules."""

from __future__ import annotations

import json
import shlex
from collections.abc import Awaitable
from dataclasses import replace
from datetime import timedelta, tzinfo
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..client.target import Connection
from ..errors import OptionError
from .main import CommandGroup
from .options.client import call_server
from .options.common import confirm, json_option, limit_option, yes_option
from .options.connection import connection_options, words_of
from .options.named_arguments import NamedArgument, named_arguments
from .options.schedule import (
    SCHEDULE,
    PolicyType,
    duration,
    make_spec,
    overlap_option,
    policy_or,
    schedule_argument,
    spec_options,
    zone_option,
)
from .render import schedule as text
from .render import schedule_json as as_plain
from .render.output import echo_form, echo_json, echo_lines
from .render.schedule_preview import previewed
from .render.terminal import clean, wrapped

if TYPE_CHECKING:
    from temporalio.client import Client

    from ..schedules import BackfillPlan, OverlapPolicy, SchedulePreview, ScheduleRow, TriggerResult

T = TypeVar("T")

SHOWN = 3
MANY = 100
MOST_ACTIONS = 2**63 - 1


@click.group(cls=CommandGroup)
def schedule() -> None:
    """Create, preview and manage schedules."""


@schedule.command(short_help="Create a schedule.")
@schedule_argument
@click.option("--type", "workflow_type", required=True, metavar="NAME", help="Workflow type to start.")
@click.option("--task-queue", "-t", required=True, metavar="NAME", help="Task queue of the workflow.")
@spec_options
@overlap_option
@click.option(
    "--input", "-i", "inputs", multiple=True, metavar="JSON", help="Argument of the workflow. Repeatable, in order."
)
@click.option(
    "--workflow-id", "-w", metavar="ID", show_default="the schedule's id", help="Prefix of the runs' workflow ids."
)
@click.option("--execution-timeout", metavar="TIME", help="Maximum duration of a workflow with all its runs.")
@click.option("--run-timeout", metavar="TIME", help="Maximum duration of one run.")
@click.option(
    "--remaining-actions",
    type=click.IntRange(1, MOST_ACTIONS),
    metavar="N",
    show_default="unlimited",
    help="Maximum number of actions.",
)
@click.option("--pause-on-failure", is_flag=True, help="Pause the schedule when a run fails or times out.")
@click.option("--paused", is_flag=True, help="Create the schedule paused.")
@click.option("--notes", "note", metavar="TEXT", help="Note for other users.")
@click.option("--memo", "memos", multiple=True, metavar="NAME=JSON", help="Memo field. Repeatable.")
@zone_option
@connection_options
@json_option
def create(connection: Connection, schedule_id: str, zone: str | None, as_json: bool, **values: Any) -> None:
    """Create a schedule that starts a workflow at these times; without times it acts only when triggered."""
    from ..schedules import NewSchedule, PreviewOptions, create_schedule, preview_schedule
    from ..system.time_zones import find_zone

    found = find_zone(zone)
    spec = make_spec(values, found)
    values["note"] = values["note"] or ""
    new = NewSchedule(
        schedule_id=schedule_id,
        spec=spec,
        input=tuple(_json(value, "--input") for value in values.pop("inputs")),
        memo=dict(_pair(value) for value in values.pop("memos")),
        policy=policy_or(values.pop("overlap"), "skip"),
        catchup_window=duration(values.pop("catchup_window"), "--catchup-window"),
        execution_timeout=duration(values.pop("execution_timeout"), "--execution-timeout"),
        run_timeout=duration(values.pop("run_timeout"), "--run-timeout"),
        **values,
    )

    async def make(client: Client) -> SchedulePreview:
        await create_schedule(client, new)
        return await preview_schedule(client, schedule_id, PreviewOptions(count=SHOWN))

    preview, target = call_server(connection, make)
    if as_json:
        echo_json(
            {**as_plain.preview_json(preview, target, found, ()), "schedule_id": schedule_id, "result": "created"}
        )
        return
    echo_lines(wrapped(f"created {schedule_id}: {new.workflow_type} on {new.task_queue}"))
    echo_lines(previewed(preview, found, zone))


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
@click.option(
    "--query", metavar="FILTER", help="Only schedules that match a list filter: \"ScheduleId STARTS_WITH 'night'\"."
)
@limit_option(1000)
@zone_option
@connection_options
@json_option
def list_(connection: Connection, query: str | None, limit: int, zone: str | None, as_json: bool) -> None:
    """List the schedules of a namespace."""
    from ..schedules import list_schedules
    from ..system.time_zones import find_zone

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


@schedule.command(short_help="Show a schedule.")
@schedule_argument
@zone_option
@connection_options
@json_option
def describe(connection: Connection, schedule_id: str, zone: str | None, as_json: bool) -> None:
    """Show a schedule: its workflow, times, state and last runs."""
    from ..schedules import describe_schedule
    from ..system.time_zones import find_zone

    local = find_zone(zone)
    found, target = call_server(connection, lambda client: describe_schedule(client, schedule_id))
    if as_json:
        echo_json(as_plain.description_json(found, target))
    else:
        echo_lines(text.described(found, local))


@schedule.command(short_help="Show the next times and what each overlap policy does.")
@named_arguments(replace(SCHEDULE, required=False))
@spec_options
@click.option("--count", type=click.IntRange(1, 1000), default=10, metavar="N", help="Number of times to show.")
@click.option("--after", metavar="TIME", show_default="now", help="Show times after this one.")
@click.option("--run-length", metavar="TIME", help="Show what each overlap policy does with runs of this length.")
@click.option("--cancel-length", default="0s", metavar="TIME", help="How long a run takes to end when canceled.")
@click.option("--overlap-policy", "only", multiple=True, type=PolicyType(), help="Show only this policy. Repeatable.")
@zone_option
@connection_options
@json_option
def preview(connection: Connection, schedule_id: str | None, zone: str | None, as_json: bool, **values: Any) -> None:
    """Show the next times of a schedule and what each overlap policy does, on a timeline.

    Takes the id of a schedule, or times as for `create`. For times, the server computes them with a paused schedule
    that is deleted at once.
    """
    from ..schedules import PreviewOptions, preview_schedule, preview_spec
    from ..system.time_zones import find_zone, parse_time

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
        raise OptionError("preview takes a schedule's id or times, not both", hint="for example --cron '0 9 * * *'")

    def look(client: Client) -> Awaitable[SchedulePreview]:
        if schedule_id is not None:
            return preview_schedule(client, schedule_id, wanted)
        return preview_spec(client, spec, wanted, catchup_window=window)

    found, target = call_server(connection, look)
    if as_json:
        echo_json(as_plain.preview_json(found, target, local, only))
    else:
        echo_lines(previewed(found, local, zone, only, away=after is None))


@schedule.command()
@schedule_argument
@overlap_option
@connection_options
@json_option
@click.pass_context
def trigger(
    ctx: click.Context, /, connection: Connection, schedule_id: str, overlap: str | None, as_json: bool
) -> None:
    """Run a schedule's action now, with --overlap-policy or its own policy.

    Exits 1 when the policy skips the action.
    """
    from ..schedules import trigger_schedule

    policy = policy_or(overlap, "skip") if overlap else None
    done, _ = call_server(connection, lambda client: trigger_schedule(client, schedule_id, policy))
    if as_json:
        echo_form(schedule_id=schedule_id, result=done.status, workflow_id=done.workflow_id)
    else:
        echo_lines(wrapped(_triggered(schedule_id, done, _describe_command(connection, schedule_id))))
    ctx.exit(1 if done.status == "skipped" else 0)


def _triggered(schedule_id: str, done: TriggerResult, describe_command: str) -> str:
    if done.status == "started":
        return f"started {done.workflow_id}"
    if done.status == "skipped":
        return f"{schedule_id} skipped the action: a run is open (--overlap-policy AllowAll starts another)"
    if done.status == "buffered":
        return f"{schedule_id} starts a run when the open run closes"
    return f"triggered {schedule_id}; it has not acted yet ({describe_command})"


def _describe_command(connection: Connection, schedule_id: str) -> str:
    """The command that shows the schedule."""
    return shlex.join(["devserver", "schedule", "describe", schedule_id, *words_of(connection)])


@schedule.command()
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
    from ..schedules import backfill_schedule, describe_schedule, plan_backfill
    from ..system.time_zones import find_zone, parse_time

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
        echo_lines(wrapped(f"backfilling; see its progress with: {_describe_command(connection, schedule_id)}"))


def _when(planned: BackfillPlan, zone: tzinfo | None) -> str:
    first, last = (text.moment(time, zone) for time in (planned.times[0], planned.times[-1]))
    if len(planned.times) == 1:
        return f"once, {first}"
    return f"{len(planned.times):,}{' or more' * planned.more} times, {first} to {last}"


@schedule.command()
@schedule_argument
@click.option("--reason", default="paused with devserver", metavar="TEXT", help="Note for other users.")
@connection_options
@json_option
def pause(connection: Connection, schedule_id: str, reason: str, as_json: bool) -> None:
    """Pause a schedule: it does not act until it is unpaused. Open runs continue."""
    from ..schedules import pause_schedule

    call_server(connection, lambda client: pause_schedule(client, schedule_id, reason))
    _echo_done("paused", schedule_id, as_json)


@schedule.command()
@schedule_argument
@click.option("--reason", default="unpaused with devserver", metavar="TEXT", help="Note for other users.")
@connection_options
@json_option
def unpause(connection: Connection, schedule_id: str, reason: str, as_json: bool) -> None:
    """Unpause a schedule: it acts again."""
    from ..schedules import unpause_schedule

    call_server(connection, lambda client: unpause_schedule(client, schedule_id, reason))
    _echo_done("unpaused", schedule_id, as_json)


@schedule.command()
@schedule_argument
@yes_option
@connection_options
@json_option
def delete(connection: Connection, schedule_id: str, yes: bool, as_json: bool) -> None:
    """Delete a schedule. Open runs continue."""
    from ..schedules import delete_schedule

    if not yes:
        confirm(f"Delete the schedule {clean(schedule_id)}?")
    call_server(connection, lambda client: delete_schedule(client, schedule_id))
    _echo_done("deleted", schedule_id, as_json)


def _echo_done(result: str, schedule_id: str, as_json: bool) -> None:
    if as_json:
        echo_form(schedule_id=schedule_id, result=result)
    else:
        click.echo(clean(f"{result} {schedule_id}"))
