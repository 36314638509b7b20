"""What the server knows of a run at its end: the result or the failure, the histories, and why it is blocked."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from temporalio.client import WorkflowFailureError, WorkflowHistory
from temporalio.service import RPCError

from ...errors import DevServerError
from ...stuck.detector import find_stuck
from ...stuck.findings import Thresholds
from ..environment.history_watcher import HistoryWatcher
from ..environment.run_context import RunContext


@dataclass(frozen=True)
class RunEnd:
    """How a run ended. `status`, `output`, `failure`, `histories` and `stuck` are those of `RehearsalRun`."""

    status: str
    output: Any = None
    failure: str | None = None
    histories: Sequence[WorkflowHistory] = ()
    stuck: Sequence[str] = ()


async def read_end(context: RunContext, watch: HistoryWatcher, unfinished: str) -> RunEnd:
    """Read how a run has ended; one that has not is terminated.

    Args:
        context: The run's context, with a server that answers.
        watch: What was followed of the run.
        unfinished: Why it has not ended, if it has not.
    """
    output, failure = await _outcome(context, watch, unfinished)
    stuck = await _stuck(context) if watch.status == "running" else []
    return RunEnd(watch.status, output, failure, await _histories(context, watch), stuck)


async def _outcome(context: RunContext, watch: HistoryWatcher, unfinished: str) -> tuple[Any, str | None]:
    if watch.status == "lost":
        return None, "the server no longer knows it"
    if watch.status == "running":
        return None, unfinished
    try:
        output = await context.handle.result()
    except WorkflowFailureError as error:
        return None, _chain(error.cause)
    return json.loads(json.dumps(output, default=str)), None


async def _stuck(context: RunContext) -> list[str]:
    """Why a runbook that has not ended is blocked, as `devserver stuck` reports it."""
    at_once = Thresholds(attempts=2, waiting=timedelta(seconds=1), late=timedelta(seconds=1))
    try:
        report = await find_stuck(context.client, workflow_id=context.workflow_id, thresholds=at_once)
    except DevServerError as error:
        return [error.message]
    return [finding.what + (f": {finding.last_failure}" if finding.last_failure else "") for finding in report.findings]


async def _histories(context: RunContext, watch: HistoryWatcher) -> list[WorkflowHistory]:
    found = []
    for run_id in watch.run_ids:
        with contextlib.suppress(RPCError):
            handle = context.client.get_workflow_handle(context.workflow_id, run_id=run_id)
            found.append(await handle.fetch_history())
    if watch.status == "running":
        with contextlib.suppress(RPCError):
            await context.handle.terminate("the rehearsal's limit has passed")
    return found


def _chain(error: BaseException | None) -> str:
    causes = []
    while error is not None:
        causes.append(f"{type(error).__name__}: {error}")
        error = getattr(error, "cause", None) or error.__cause__
    return " <- ".join(dict.fromkeys(causes))
