"""`devserver schedule preview`: the next times of a schedule, and what each overlap policy does."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from ...client.connection import Connection
from ...errors import OptionError
from ..options.client import call_server
from ..options.common import json_option
from ..options.connection import connection_options
from ..options.named_arguments import named_arguments
from ..options.schedule import SCHEDULE, PolicyType, duration, make_spec, spec_options, zone_option
from ..render import schedule_json as as_plain
from ..render.output import echo_json, echo_lines
from ..render.schedule_preview import previewed

if TYPE_CHECKING:
    from temporalio.client import Client

    from ...schedules import SchedulePreview


@click.command()
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
    from ...schedules import PreviewOptions, preview_schedule, preview_spec
    from ...system.time_zones import find_zone, parse_time

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
