"""Chooses the open workflows that are examined if there are too many: those that the server marks, the oldest and the
newest.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from temporalio.api.workflow.v1 import WorkflowExecutionInfo

from ..client.calls import ServiceCalls
from ..client.list_filters import both, quote_time
from ..client.statuses import RUNNING
from ..errors import OptionError

OPEN = "ExecutionStatus = 'Running'"
# Filters of workflows that the server marks, each with its share of the limit. Older servers, or servers with other
# settings, do not know these search attributes.
MARKED = (
    ("TemporalReportedProblems IS NOT NULL", 0.5),
    ("ExecutionStatus = 'Paused'", 0.125),
    ("TemporalPauseInfo IS NOT NULL", 0.125),
)
STEPS = 24
SPANS = (timedelta(hours=1), timedelta(days=1), timedelta(days=30), timedelta(days=366), timedelta(days=3660))


@dataclass(frozen=True)
class Candidates:
    """The workflows to examine, and the number of all open ones."""

    chosen: Sequence[WorkflowExecutionInfo]
    open: int
    notes: tuple[str, ...] = ()


async def candidates(calls: ServiceCalls, query: str | None, limit: int) -> Candidates:
    """At most `limit` open workflows that match `query`: the marked ones, then half oldest and half newest.

    Raises:
        CannotAsk: The server does not answer.
        OptionError: The server does not understand `query`.
    """
    running = await _counted(calls, query)
    found: dict[str, WorkflowExecutionInfo] = {}
    for marked, share in MARKED:
        with contextlib.suppress(OptionError):
            most = min(limit, len(found) + max(1, round(limit * share)))
            await _gather(calls, both(f"{marked} AND CloseTime IS NULL", query), most, found)
    paused = sum(info.status != RUNNING for info in found.values())
    if running > limit - len(found):
        before = await _oldest(calls, query, (limit - len(found)) // 2)
        if before is not None:
            await _gather(calls, both(f"{OPEN} AND StartTime < {quote_time(before)}", query), limit, found)
    await _gather(calls, both(OPEN, query), limit, found)
    return Candidates(list(found.values()), max(running + paused, len(found)))


async def _counted(calls: ServiceCalls, query: str | None) -> int:
    try:
        return await calls.count_workflows(both(OPEN, query))
    except OptionError as error:
        text = f"the server does not understand the query: {query}" if query else error.message
        raise OptionError(text, details=error.details, hint=error.hint) from None


async def _gather(calls: ServiceCalls, query: str, limit: int, found: dict[str, WorkflowExecutionInfo]) -> None:
    """Add workflows that match, until there are `limit`."""
    if len(found) >= limit:
        return
    async for info in calls.list_workflows(query, limit):
        if len(found) >= limit:
            return
        found.setdefault(info.execution.run_id, info)


async def _oldest(calls: ServiceCalls, query: str | None, most: int) -> datetime | None:
    """A time before which some of the open workflows started, but at most `most`; None if there is none.

    Lists are newest first and not every server can reverse them, so the time is found by counting.
    """

    async def earlier(when: datetime) -> int:
        return await calls.count_workflows(both(f"{OPEN} AND StartTime < {quote_time(when)}", query))

    high = datetime.now(timezone.utc)
    low = high - SPANS[-1]
    for span in SPANS:
        if await earlier(high - span) <= most:
            low = high - span
            break
    best = None
    for _ in range(STEPS):
        count = await earlier(low)
        if 0 < count <= most:
            best = low
        if best is not None and count >= most * 0.9:
            break
        middle = low + (high - low) / 2
        if await earlier(middle) <= most:
            low = middle
        else:
            high = middle
    return best
