"""Every test is also a replay test: what ran is replayed against the code that ran it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from temporalio.client import Client, WorkflowHistory
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Replayer

from .errors import ReplayFailed
from .workers import RunningWorker

KEPT = ("workflow_runner", "interceptors", "workflow_failure_exception_types", "plugins", "debug_mode")


async def check(client: Client, workers: Iterable[RunningWorker], started: Iterable[tuple[str, str | None]]) -> int:
    """Replay every workflow of the namespace whose type a worker of the test runs; how many there were.

    Raises:
        ReplayFailed: One does not replay: its code is not deterministic.
    """
    replayers: dict[str, Replayer] = {}
    for running in workers:
        replayer = _replayer(client, running)
        for kind in running.options.get("workflows", ()):
            replayers[_type_name(kind)] = replayer
    if not replayers:
        return 0
    count = 0
    for workflow_id, run_id in await _executions(client, started):
        history = await _history(client, workflow_id, run_id)
        kind = _type_of(history)
        if kind in replayers:
            await _replay(replayers[kind], history, kind)
            count += 1
    return count


async def _executions(client: Client, started: Iterable[tuple[str, str | None]]) -> list[tuple[str, str | None]]:
    """Those that lists show (children and later runs among them), and those started that lists do not show yet."""
    listed = {(each.id, each.run_id) async for each in client.list_workflows()}
    ids = {workflow_id for workflow_id, _ in listed}
    return [*sorted(listed), *(each for each in started if each[0] not in ids)]


async def _history(client: Client, workflow_id: str, run_id: str | None) -> WorkflowHistory:
    try:
        return await client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history()
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            return WorkflowHistory(workflow_id, [])
        raise


async def _replay(replayer: Replayer, history: WorkflowHistory, kind: str) -> None:
    result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    if result.replay_failure is not None:
        raise ReplayFailed(
            f"the workflow {history.workflow_id} ({kind}) does not replay: {result.replay_failure}\n"
            "its code did other things the second time: look for time, randomness, I/O or a changed order in it"
        ) from result.replay_failure


def _replayer(client: Client, running: RunningWorker) -> Replayer:
    kept: dict[str, Any] = {key: running.options[key] for key in KEPT if key in running.options}
    workflows = list(running.options.get("workflows", ()))
    converter = client.config()["data_converter"]
    return Replayer(workflows=workflows, namespace=client.namespace, data_converter=converter, **kept)


def _type_of(history: WorkflowHistory) -> str:
    if not history.events:
        return ""
    return history.events[0].workflow_execution_started_event_attributes.workflow_type.name


def _type_name(kind: type) -> str:
    from temporalio import workflow

    return workflow._Definition.must_from_class(kind).name or kind.__name__
