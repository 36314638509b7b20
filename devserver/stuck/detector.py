"""Finds the blocked workflows of a namespace, with a bounded number of calls."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timezone

from temporalio.client import Client

from ..client.calls import MAX_CONCURRENT, ServiceCalls
from ..errors import CannotAsk, OptionError
from .candidates import candidates
from .diagnosis import diagnose
from .findings import StuckReport, Thresholds, ranked
from .inspection import EVENTS, Diagnosis
from .task_queues import task_queue_findings

LIMIT = 1000
DEFAULT = Thresholds()


async def find_stuck(
    client: Client,
    *,
    workflow_id: str | None = None,
    query: str | None = None,
    thresholds: Thresholds = DEFAULT,
    limit: int = LIMIT,
    max_concurrent: int = MAX_CONCURRENT,
) -> StuckReport:
    """Find what is blocked in the client's namespace, or in one workflow, the worst first.

    Work is bounded: at most `limit` open workflows are examined, first those that the server marks, then the oldest and
    the newest. Each costs one description and at most one page of history, `max_concurrent` at a time. A paused
    workflow is always found; a closed one is never stuck.

    Args:
        workflow_id: Examine only the current run of this workflow, without the delay of lists.
        query: A list filter for the open workflows.
        thresholds: When something counts as stuck.

    Raises:
        CannotAsk: The server does not answer, or there is no such namespace or workflow.
        OptionError: The server does not understand `query`, or a limit is below 1.
    """
    if limit < 1 or max_concurrent < 1:
        raise OptionError(
            f"at least one workflow must be examined, one at a time: limit={limit}, max_concurrent={max_concurrent}"
        )
    calls = ServiceCalls(client, max_concurrent=max_concurrent)
    now = datetime.now(timezone.utc)
    if workflow_id is not None:
        return await _one(calls, workflow_id, thresholds, now)
    chosen = await candidates(calls, query, limit)
    runs = [(item.execution.workflow_id, item.execution.run_id) for item in chosen.chosen]
    found = await asyncio.gather(*(diagnose(calls, *run, thresholds, now) for run in runs))
    return await _report(calls, found, now, chosen.open)


async def _one(calls: ServiceCalls, workflow_id: str, thresholds: Thresholds, now: datetime) -> StuckReport:
    if await calls.describe_workflow(workflow_id) is None:
        raise CannotAsk(f"there is no workflow {workflow_id} in the namespace {calls.client.namespace}")
    found = await diagnose(calls, workflow_id, "", thresholds, now)
    return await _report(calls, [found], now, int(found.open))


async def _report(calls: ServiceCalls, found: Sequence[Diagnosis], now: datetime, total: int) -> StuckReport:
    suspects = [suspect for item in found for suspect in item.suspects]
    needs = [need for item in found for need in item.needs]
    findings = await task_queue_findings(calls, suspects, needs, now)
    examined = sum(item.open for item in found)
    return StuckReport(
        namespace=calls.client.namespace,
        at=now,
        findings=ranked(findings),
        open=max(examined, total - sum(not item.open for item in found)),
        examined=examined,
        notes=_notes(found),
    )


def _notes(found: Sequence[Diagnosis]) -> tuple[str, ...]:
    unseen = sum(item.unseen for item in found)
    if not unseen:
        return ()
    return (f"only the last {EVENTS} events were searched for late timers: {unseen} workflows have more events",)
