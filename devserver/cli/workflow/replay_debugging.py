"""`devserver replay --debug`: one history, in a debugger."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...client.connection import Connection
from ..render.output import echo_lines

if TYPE_CHECKING:
    from temporalio.client import Client, WorkflowHistory


def debug_workflow(
    spec: str, workflow_id: str, places: Sequence[str], connection: Connection, values: dict[str, Any]
) -> int:
    """Replay the history of one workflow in a debugger; the exit code.

    Raises:
        IntrospectionError, NothingToReplay: The module cannot be used.
        WorkflowMissing: There is no such workflow.
    """
    import asyncio

    from ...replay import NothingToReplay
    from ...replay.debugging import debug, replay_inline
    from ...replay.module_code import connect_module, find_workflows, workflow_code

    module = find_workflows(spec, values["data_converter"], values["plugins"])

    async def prepare() -> Any:
        client = None if places else await connect_module(module, connection)
        history = await _from_server(client, workflow_id) if client is not None else _from_files(places, workflow_id)
        return history, await workflow_code(module, client)

    history, code = asyncio.run(prepare())
    started = history.events[0].workflow_execution_started_event_attributes
    if not code.has(started.workflow_type.name):
        raise NothingToReplay(f"{spec} has no workflow of the type {started.workflow_type.name}")
    click.echo("stopped where the workflow begins; next steps: n (next line), c (continue), p NAME, q (quit)", err=True)
    result = debug(asyncio.run, replay_inline(history, code), code, started.workflow_type.name)
    if result.divergence is None:
        echo_lines([f"{workflow_id} replays"])
        return 0
    echo_lines(str(result.divergence).splitlines())
    return 1


async def _from_server(client: Client, workflow_id: str) -> WorkflowHistory:
    from temporalio.client import WorkflowHistory

    from ...client import ServiceCalls
    from ...history import Execution, workflow_missing

    calls = ServiceCalls(client)
    events = await calls.history(workflow_id)
    if events is None:
        raise workflow_missing(calls, Execution(workflow_id))
    return WorkflowHistory(workflow_id, events)


def _from_files(places: Sequence[str], workflow_id: str) -> WorkflowHistory:
    from temporalio.client import WorkflowHistory

    from ...history import find_histories
    from ...replay import NothingToReplay

    found = [history for place in places for history in find_histories(Path(place)).histories]
    for history in found:
        if workflow_id in (history.workflow_id, history.run_id, history.source):
            return WorkflowHistory(history.workflow_id, list(history.events))
    known = [history.workflow_id for history in found[:10]]
    raise NothingToReplay(f"no file has the workflow {workflow_id}", details=[f"there is {', '.join(known)}"])
