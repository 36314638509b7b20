"""Finds the blocked workflows of a namespace, with a bounded number of calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timezone
from typing import TYPE_CHECKING, TypeVar

from temporalio.api.workflow.v1 import WorkflowExecutionInfo

from ..client.calls import ServiceCalls
from ..errors import CannotAsk, OptionError
from .candidates import candidates
from .diagnosis import diagnose
from .findings import StuckProgress, StuckReport, Thresholds
from .inspection import InspectionRules, ReadBudget
from .tally import Tally

if TYPE_CHECKING:
    from temporalio.client import Client

T = TypeVar("T")

LIMIT = 1000
# Descriptions at once: the server takes a fifth less CPU time for each than with a quarter of them.
AT_ONCE = 64
READ_AHEAD = 1000
# Histories that are read without a sign of a problem: for late timers and failed workflow tasks between signals.
HISTORIES = 2000
DEFAULT = Thresholds()


async def find_stuck(
    client: Client,
    *,
    workflow_id: str | None = None,
    query: str | None = None,
    thresholds: Thresholds = DEFAULT,
    limit: int = LIMIT,
    max_concurrent: int = AT_ONCE,
    on_progress: Callable[[StuckProgress], None] | None = None,
) -> StuckReport:
    """Find what is blocked in the client's namespace, or in one workflow, the worst first.

    Work is bounded: at most `limit` open workflows are examined, first those that the server marks, then the oldest and
    the newest. Each costs one description and at most one page of history, `max_concurrent` at a time; memory does not
    grow with their number. A paused workflow is always found; a closed one is never stuck.

    Args:
        workflow_id: Examine only the current run of this workflow, without the delay of lists.
        query: A list filter for the open workflows.
        thresholds: When something counts as stuck.
        on_progress: Called after each workflow, if there are several to examine.

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
    rules = InspectionRules(thresholds, now, ReadBudget(HISTORIES))
    tally = Tally(now)
    if workflow_id is not None:
        if await calls.describe_workflow(workflow_id) is None:
            raise CannotAsk(f"there is no workflow {workflow_id} in the namespace {client.namespace}")
        tally.add(await diagnose(calls, workflow_id, "", rules))
        return await tally.report(calls, tally.examined)
    chosen = await candidates(calls, query, limit)

    async def examine(info: WorkflowExecutionInfo) -> None:
        tally.add(await diagnose(calls, info.execution.workflow_id, info.execution.run_id, rules))
        if on_progress is not None:
            on_progress(StuckProgress(tally.looked_at, min(chosen.open, limit), tally.found, tally.first))

    await _for_each(chosen.runs(), examine, max_concurrent)
    return await tally.report(calls, chosen.open)


async def _for_each(items: AsyncIterator[T], work: Callable[[T], Awaitable[None]], lanes: int) -> None:
    """Do the work for each item, for this many at a time; some more are read ahead."""
    waiting: asyncio.Queue[T | None] = asyncio.Queue(READ_AHEAD)

    async def feed() -> None:
        async for item in items:
            await waiting.put(item)
        for _ in range(lanes):
            await waiting.put(None)

    async def lane() -> None:
        while (item := await waiting.get()) is not None:
            await work(item)

    tasks = [asyncio.ensure_future(part) for part in (feed(), *(lane() for _ in range(lanes)))]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
