"""`devserver workflow reset`: run a workflow again from a step of its history."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from ...client.connection import Connection
from ...errors import OptionError
from ..options.common import confirm, json_option, yes_option
from ..options.connection import connection_options, trace_words
from ..options.workflow import run_id_option, workflow_id_parameters
from ..render.output import echo_form, echo_lines
from ..render.terminal import clean, wrapped

if TYPE_CHECKING:
    from ...history import ResetPoint, Step, WorkflowRun

INDENT = "  "
REASON = "devserver workflow reset"
MOST_SHOWN = 20


@click.command()
@workflow_id_parameters(closed=True)
@run_id_option("the last run")
@click.option("--before", metavar="STEP", help="Run again from before this step: its type, name or id, or its event.")
@click.option("--to", type=click.IntRange(min=1), metavar="EVENT", help="Run again from this event's workflow task.")
@click.option("--reason", metavar="TEXT", default=REASON, help="Reason, shown in the history of the new run.")
@yes_option
@connection_options
@json_option
@click.pass_context
def reset(
    ctx: click.Context,
    /,
    connection: Connection,
    workflow_id: str,
    run_id: str,
    before: str | None,
    to: int | None,
    reason: str,
    yes: bool,
    as_json: bool,
) -> None:
    """Run a workflow again from a step of its history: a new run has the history before it, and the code runs again
    from there. An open run is terminated.

    Shows what would be done again, and asks before it changes anything.

    Exits 0 when it was reset, 1 when you said no or the server refuses, 4 when there is no such workflow or the server
    cannot be reached.
    """
    import asyncio

    if (before is None) == (to is None):
        raise OptionError("name one point: --before STEP or --to EVENT", hint="devserver trace shows the steps")

    run, point = asyncio.run(_look(connection, workflow_id, run_id, before, to))
    if not as_json:
        echo_lines(_plan(run, point))
    if not yes:
        confirm(f"reset {workflow_id}?")
    new_run = asyncio.run(_reset(connection, run, point, reason))
    if as_json:
        echo_form(
            workflow_id=workflow_id,
            run_id=new_run,
            reset_run_id=run.run_id,
            event_id=point.event_id,
            again=[_step_json(step) for step in point.again],
            applied=[_step_json(step) for step in point.applied],
        )
        return
    words = trace_words(connection, workflow_id, new_run)
    click.echo(clean(f"reset {workflow_id}; the new run is {new_run}"))
    click.echo(clean(f"see it: {' '.join(words)}"), err=True)


async def _look(
    connection: Connection, workflow_id: str, run_id: str, before: str | None, to: int | None
) -> tuple[WorkflowRun, ResetPoint]:
    from ...client.target import connect, find_target
    from ...history import Execution, HistoryReader, reset_before, reset_to, workflow_missing

    reader = HistoryReader(await connect(find_target(connection)))
    chain = await reader.chain(workflow_id, run_id)
    link = next((each for each in chain.runs if each.run_id == run_id), chain.newest)
    run = await reader.run(workflow_id, link)
    events = await reader.calls.history(workflow_id, link.run_id)
    if events is None:
        raise workflow_missing(reader.calls, Execution(workflow_id, link.run_id))
    if before is not None:
        return run, reset_before(run, events, before)
    return run, reset_to(run, events, to or 0)


async def _reset(connection: Connection, run: WorkflowRun, point: ResetPoint, reason: str) -> str:
    from ...client.target import connect, find_target
    from ...introspection import workflow_control

    client = await connect(find_target(connection))
    return await workflow_control.reset(client, run.workflow_id, run.run_id, point.event_id, reason)


def _plan(run: WorkflowRun, point: ResetPoint) -> Iterator[str]:
    """What a reset would do."""
    state = "is open: it is terminated" if run.open else f"is {run.status.replace('_', ' ')} and stays as it is"
    yield from wrapped(f"a new run of {run.workflow_id} begins at event {point.event_id}; the run {run.run_id} {state}")
    yield from _named("done again, if the code decides as before", point.again)
    yield from _named("given to the new run again", point.applied)
    if point.children:
        names = ", ".join(step.id for step in point.children)
        yield from wrapped(
            f"note: child workflows keep running, and their ids are taken: {names}",
            hanging=INDENT,
        )


def _named(head: str, steps: Sequence[Step]) -> Iterator[str]:
    from ...trace.formatting import state, title

    if steps:
        yield click.style(f"{head}:", bold=True)
    for step in steps[:MOST_SHOWN]:
        words = ", ".join([title(step), *state(step)])
        yield from wrapped(f"event {step.event_id}: {words}", INDENT, INDENT)
    if len(steps) > MOST_SHOWN:
        yield f"{INDENT}and {len(steps) - MOST_SHOWN:,} more"


def _step_json(step: Step) -> dict[str, Any]:
    return {"event_id": step.event_id, "kind": step.kind, "name": step.name, "id": step.id, "status": step.status}
