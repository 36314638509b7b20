"""Chooses the open workflows that are examined if there are too many: those that the server marks, the oldest and the
newest.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
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
PAGE_SIZE = 1000
SPANS = (timedelta(hours=1), timedelta(days=1), timedelta(days=30), timedelta(days=366), timedelta(days=3660))


class Candidates:
    """The open workflows to examine, as the server lists them: only their ids stay in memory."""

    def __init__(self, calls: ServiceCalls, query: str | None, limit: int, running: int) -> None:
        self._calls = calls
        self._query = query
        self._limit = limit
        self._running = running
        self._paused = 0
        self._seen: set[str] = set()

    @property
    def open(self) -> int:
        """The number of all open workflows that match, as far as they have been listed."""
        return max(self._running + self._paused, len(self._seen))

    async def runs(self) -> AsyncIterator[WorkflowExecutionInfo]:
        """The workflows; call it once."""
        query = self._query
        for marked, share in MARKED:
            with contextlib.suppress(OptionError):
                most = min(self._limit, len(self._seen) + max(1, round(self._limit * share)))
                async for info in self._listed(both(f"{marked} AND CloseTime IS NULL", query), most):
                    self._paused += info.status != RUNNING
                    yield info
        left = self._limit - len(self._seen)
        before = await _oldest(self._calls, query, left // 2) if self._running > left else None
        old = [f"{OPEN} AND StartTime < {quote_time(before)}"] if before is not None else []
        for wanted in (*old, OPEN):
            async for info in self._listed(both(wanted, query), self._limit):
                yield info

    async def _listed(self, query: str, most: int) -> AsyncIterator[WorkflowExecutionInfo]:
        """Workflows that match and were not there before, until there are `most` in all."""
        if len(self._seen) >= most:
            return
        async for info in self._calls.list_workflows(query, self._limit, page_size=PAGE_SIZE):
            if len(self._seen) >= most:
                return
            if info.execution.run_id not in self._seen:
                self._seen.add(info.execution.run_id)
                yield info


async def candidates(calls: ServiceCalls, query: str | None, limit: int) -> Candidates:
    """At most `limit` open workflows that match `query`: the marked ones, then half oldest and half newest.

    Raises:
        CannotAsk: The server does not answer.
        OptionError: The server does not understand `query`.
    """
    return Candidates(calls, query, limit, await _counted(calls, query))


async def _counted(calls: ServiceCalls, query: str | None) -> int:
    try:
        return await calls.count_workflows(both(OPEN, query))
    except OptionError as error:
        text = f"the server does not understand the query: {query}" if query else error.message
        raise OptionError(text, details=error.details, hint=error.hint) from None


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
