"""`devserver schedule create`: create a schedule, and show its next times."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from ...client.connection import Connection
from ...errors import OptionError
from ..options.client import call_server
from ..options.common import json_option
from ..options.connection import connection_options
from ..options.schedule import (
    duration,
    make_spec,
    overlap_option,
    policy_or,
    schedule_argument,
    spec_options,
    zone_option,
)
from ..render import schedule_json as as_plain
from ..render.output import echo_json, echo_lines
from ..render.schedule_preview import previewed
from ..render.terminal import wrapped

if TYPE_CHECKING:
    from temporalio.client import Client

    from ...schedules import SchedulePreview

SHOWN = 3
MOST_ACTIONS = 2**63 - 1


@click.command()
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
    from ...schedules import NewSchedule, PreviewOptions, create_schedule, preview_schedule
    from ...system.time_zones import find_zone

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
