"""`devserver schedule trigger`: run a schedule's action now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ...client.connection import Connection
from ..options.client import call_server
from ..options.common import json_option
from ..options.connection import connection_options
from ..options.schedule import overlap_option, policy_or, schedule_argument
from ..render.output import echo_form, echo_lines
from ..render.terminal import wrapped
from .describe import describe_command

if TYPE_CHECKING:
    from ...schedules import TriggerResult


@click.command()
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
    from ...schedules import trigger_schedule

    policy = policy_or(overlap, "skip") if overlap else None
    done, _ = call_server(connection, lambda client: trigger_schedule(client, schedule_id, policy))
    if as_json:
        echo_form(schedule_id=schedule_id, result=done.status, workflow_id=done.workflow_id)
    else:
        echo_lines(wrapped(_triggered(schedule_id, done, describe_command(connection, schedule_id))))
    ctx.exit(1 if done.status == "skipped" else 0)


def _triggered(schedule_id: str, done: TriggerResult, describe_command: str) -> str:
    if done.status == "started":
        return f"started {done.workflow_id}"
    if done.status == "skipped":
        return f"{schedule_id} skipped the action: a run is open (--overlap-policy AllowAll starts another)"
    if done.status == "buffered":
        return f"{schedule_id} starts a run when the open run closes"
    return f"triggered {schedule_id}; it has not acted yet ({describe_command})"
