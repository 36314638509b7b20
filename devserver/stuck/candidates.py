"""Which open workflows a look examines when there are more than it may: those the server itself points at, the oldest
and the newest.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from temporalio.api.workflow.v1 import WorkflowExecutionInfo

from ..client.calls import ServiceCalls
from ..errors import OptionError

OPEN = "ExecutionStatus = 'Running'"
# What the server marks by itself; an older one, or one that is set up otherwise, does not know the word.
# With each, which share of the look it may take.
MARKED = (
    ("TemporalReportedProblems IS NOT NULL", 0.5),
    ("ExecutionStatus = 'Paused'", 0.125),
    ("TemporalPauseInfo IS NOT NULL", 0.125),
)
STEPS = 24
SPANS = (timedelta(hours=1), timedelta(days=1), timedelta(days=30), timedelta(days=366), timedelta(days=3660))


@dataclass(frozen=True)
class Candidates:
    """The workflows to look at, and how many are open in all."""

    chosen: Sequence[WorkflowExecutionInfo]
    open: int
    notes: tuple[str, ...] = ()


async def candidates(calls: ServiceCalls, query: str | None, limit: int) -> Candidates:
    """At most `limit` open workflows that fit `query`: the marked ones, then the oldest and the newest by halves.

    Raises:
        CannotAsk: The server does not answer.
        OptionError: It does not understand `query`.
    """
    running = await _counted(calls, query)
    found: dict[str, WorkflowExecutionInfo] = {}
    for marked, share in MARKED:
        with contextlib.suppress(OptionError):
            most = min(limit, len(found) + max(1, round(limit * share)))
            await _gather(calls, _both(f"{marked} AND CloseTime IS NULL", query), most, found)
    paused = sum(each.status != 1 for each in found.values())
    if running > limit - len(found):
        before = await _oldest(calls, query, (limit - len(found)) // 2)
        if before is not None:
            await _gather(calls, _both(f"{OPEN} AND StartTime < '{_text(before)}'", query), limit, found)
    await _gather(calls, _both(OPEN, query), limit, found)
    return Candidates(list(found.values()), max(running + paused, len(found)))


async def _counted(calls: ServiceCalls, query: str | None) -> int:
    try:
        return await calls.count_workflows(_both(OPEN, query))
    except OptionError as error:
        text = f"the server does not understand the query: {query}" if query else error.message
        raise OptionError(text, details=error.details, hint=error.hint) from None


async def _gather(calls: ServiceCalls, query: str, limit: int, found: dict[str, WorkflowExecutionInfo]) -> None:
    """Add those that fit and are not there yet, until there are `limit`."""
    if len(found) >= limit:
        return
    async for each in calls.list_workflows(query, limit):
        if len(found) >= limit:
            return
        found.setdefault(each.execution.run_id, each)


async def _oldest(calls: ServiceCalls, query: str | None, wanted: int) -> datetime | None:
    """A moment before which some, but no more than `wanted`, of the open workflows were started; None if none is found.

    Lists come newest first and cannot be turned round everywhere, so the moment is looked for by counting.
    """

    async def earlier(when: datetime) -> int:
        return await calls.count_workflows(_both(f"{OPEN} AND StartTime < '{_text(when)}'", query))

    high = datetime.now(timezone.utc)
    low = high - SPANS[-1]
    for span in SPANS:
        if await earlier(high - span) <= wanted:
            low = high - span
            break
    best = None
    for _ in range(STEPS):
        count = await earlier(low)
        if 0 < count <= wanted:
            best = low
        if best is not None and count >= wanted * 0.9:
            break
        middle = low + (high - low) / 2
        if await earlier(middle) <= wanted:
            low = middle
        else:
            high = middle
    return best


def _both(one: str, other: str | None) -> str:
    return f"{one} AND ({other})" if other else one


def _text(when: datetime) -> str:
    return when.isoformat(timespec="microseconds").replace("+00:00", "Z")
