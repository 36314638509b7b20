"""Chooses which workflows of a namespace to replay: a sample in which rare paths are likely to be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from temporalio.api.workflow.v1 import WorkflowExecutionInfo

from ..client import ServiceCalls, both, quote, quote_time
from .outcomes import Candidate

FILTERS = {"open": "ExecutionStatus = 'Running'", "closed": "ExecutionStatus != 'Running'"}
LOOK_AT = 20  # for each workflow that is replayed
LEAST_LOOKED_AT = 2000
LIST_PAGE = 1000
Shape = tuple[object, ...]


@dataclass(frozen=True)
class WantedWorkflows:
    """Which workflows of a namespace to replay.

    Attributes:
        types: Workflow types; empty for all.
        query: A list filter that they match too.
        since: Only those that started after this time.
        open, closed: How many open and closed ones at most.
    """

    types: Sequence[str] = ()
    query: str | None = None
    since: datetime | None = None
    open: int = 0
    closed: int = 0

    def filter(self, status: str) -> str:
        """The list filter for those with this status."""
        parts = [status]
        if self.types:
            parts.append(f"WorkflowType IN ({', '.join(map(quote, self.types))})")
        if self.since is not None:
            parts.append(f"StartTime >= {quote_time(self.since)}")
        return both(" AND ".join(parts), self.query)


@dataclass(frozen=True)
class Sample:
    """The chosen workflows of one status.

    Attributes:
        candidates: Those to replay.
        total: How many the server has.
        looked_at: How many of them were compared to choose.
        shapes: How many shapes these have.
    """

    candidates: Sequence[Candidate]
    total: int
    looked_at: int
    shapes: int


async def sample(calls: ServiceCalls, list_filter: str, limit: int) -> Sample:
    """At most `limit` workflows that match a filter, spread over their shapes.

    Raises:
        OptionError: The server does not understand the filter.
        CannotAsk: The server does not answer.
    """
    if not limit:
        return Sample((), 0, 0, 0)
    total = await calls.count_workflows(list_filter)
    groups: defaultdict[Shape, list[Candidate]] = defaultdict(list)
    looked_at = 0
    async for info in calls.list_workflows(list_filter, max(LEAST_LOOKED_AT, LOOK_AT * limit), page_size=LIST_PAGE):
        groups[_shape(info)].append(
            Candidate(info.execution.workflow_id, info.execution.run_id, info.type.name),
        )
        looked_at += 1
    return Sample(spread(list(groups.values()), limit), max(total, looked_at), looked_at, len(groups))


def spread(groups: Sequence[Sequence[Candidate]], limit: int) -> list[Candidate]:
    """At most `limit` of all: in turns from each group, the smallest first, so that no group is left out for a large
    one. Those of a group are spread over its length.
    """
    chosen: list[Candidate] = []
    left = sorted(groups, key=len)
    while left:
        share = max(1, (limit - len(chosen)) // len(left))
        group, *left = left
        count = min(share, len(group), limit - len(chosen))
        chosen += [group[index * len(group) // count] for index in range(count)]
    return chosen


def _shape(info: WorkflowExecutionInfo) -> Shape:
    """What runs with the same path through the code are likely to share, as far as a list shows it."""
    steps = (info.history_length * info.history_length).bit_length()  # two groups for each doubling
    return (info.type.name, info.status, steps, bool(info.parent_execution.workflow_id), info.task_queue)
