"""Looks at the task queues that workflows need workers on, and says which of them nobody polls."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone

from temporalio.api.enums.v1 import TaskQueueType, WorkerStatus
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.worker.v1 import WorkerHeartbeat
from temporalio.api.workflowservice.v1 import (
    DescribeTaskQueueRequest,
    DescribeTaskQueueResponse,
    ListWorkersRequest,
)

from ..client.calls import POLLS_WITHIN, ServiceCalls
from ..client.rpc_statuses import rpc_error
from ..client.timestamps import to_datetime
from ..errors import CannotAsk
from . import hints
from .findings import Finding
from .inspection import ACTIVITY, PollerNeed, Queue, Suspect
from .queue_state import QueueState, last_of

# By default, a worker reports its slots every minute.
REPORTED_WITHIN = timedelta(seconds=150)
MAX_REPORTS = 1000


class QueueNeeds:
    """The task queues that workflows need workers on, with the number of workflows and the one that waits longest."""

    def __init__(self) -> None:
        self._first: dict[Queue, PollerNeed] = {}
        self._counts: Counter[tuple[str, frozenset[TaskQueueType.ValueType]]] = Counter()

    def add(self, needs: Sequence[PollerNeed]) -> None:
        """Add what one workflow needs."""
        kinds: dict[str, set[TaskQueueType.ValueType]] = defaultdict(set)
        for need in needs:
            name, kind = need.queue
            kinds[name].add(kind)
            first = self._first.get(need.queue)
            if first is None or _begun(need) < _begun(first):
                self._first[need.queue] = need
        for name, found in kinds.items():
            self._counts[name, frozenset(found)] += 1

    @property
    def queues(self) -> list[Queue]:
        """All of them."""
        return list(self._first)

    def first(self, queues: Sequence[Queue]) -> PollerNeed:
        """The need of these task queues that waits longest."""
        return min((self._first[queue] for queue in queues), key=_begun)

    def count(self, queues: Sequence[Queue]) -> int:
        """The number of workflows that need one of these, which are kinds of one task queue."""
        name, kinds = queues[0][0], {kind for _, kind in queues}
        return sum(
            count for (other, needed), count in self._counts.items() if other == name and not kinds.isdisjoint(needed)
        )


def _begun(need: PollerNeed) -> datetime:
    return need.since or datetime.max.replace(tzinfo=timezone.utc)


async def task_queue_findings(
    calls: ServiceCalls, suspects: Sequence[Suspect], needs: QueueNeeds, now: datetime
) -> list[Finding]:
    """The suspects that count, with what their task queue shows, and a finding for each task queue without workers."""
    states = await _states(calls, needs.queues, now)
    unpolled = [queue for queue in needs.queues if states[queue].unpolled]
    found = [_explained(suspect, states) for suspect in suspects if suspect.unless_unpolled not in unpolled]
    for name in {name for name, _ in unpolled}:
        kinds = [queue for queue in unpolled if queue[0] == name]
        found.append(_no_worker([states[kind] for kind in kinds], needs.first(kinds), needs.count(kinds)))
    return found


async def _states(calls: ServiceCalls, queues: Sequence[Queue], now: datetime) -> Mapping[Queue, QueueState]:
    if not queues:
        return {}
    reports, described = await asyncio.gather(
        _reports(calls, now), asyncio.gather(*(_describe(calls, queue) for queue in queues))
    )
    return {
        queue: QueueState(queue, one, [report for report in reports if report.task_queue == queue[0]], now)
        for queue, one in zip(queues, described, strict=True)
    }


async def _describe(calls: ServiceCalls, queue: Queue) -> DescribeTaskQueueResponse:
    name, kind = queue
    request = DescribeTaskQueueRequest(
        namespace=calls.client.namespace, task_queue=TaskQueue(name=name), task_queue_type=kind, report_stats=True
    )
    answer = await calls.call_if_found(calls.client.workflow_service.describe_task_queue, request)
    return answer if answer is not None else DescribeTaskQueueResponse()


async def _reports(calls: ServiceCalls, now: datetime) -> list[WorkerHeartbeat]:
    """What running workers reported lately; nothing from servers and workers that do not know these reports."""
    request = ListWorkersRequest(namespace=calls.client.namespace, page_size=MAX_REPORTS)
    try:
        answer = await calls.call(calls.client.workflow_service.list_workers, request)
    except (CannotAsk, rpc_error()):  # the same server is asked about the task queues, so this is not all that fails
        return []
    return [
        info.worker_heartbeat
        for info in answer.workers_info
        if info.worker_heartbeat.status == WorkerStatus.WORKER_STATUS_RUNNING
        and now - to_datetime(info.worker_heartbeat.heartbeat_time) < REPORTED_WITHIN
    ]


def _explained(suspect: Suspect, states: Mapping[Queue, QueueState]) -> Finding:
    if suspect.wait is None or suspect.unless_unpolled is None:
        return suspect.finding
    hint = states[suspect.unless_unpolled].hint(suspect.wait)
    return replace(suspect.finding, hint=hint.text, command=hint.command)


def _no_worker(states: Sequence[QueueState], first: PollerNeed, workflows: int) -> Finding:
    name = states[0].queue[0]
    tasks = " and ".join(
        sorted(("activities" if state.queue[1] == ACTIVITY else "workflow tasks" for state in states), reverse=True)
    )
    many = f"{workflows:,} open workflows need one" if workflows > 1 else "this workflow needs one"
    last = last_of(states)
    polls, lately = ("has polled", f" in the last {POLLS_WITHIN.seconds} s") if last.last else ("polls", "")
    hint = hints.no_worker(name, tasks, polled=last.last is not None)
    return Finding(
        kind="no_worker",
        workflow_id=first.workflow.execution.workflow_id,
        run_id=first.workflow.execution.run_id,
        workflow_type=first.workflow.type.name,
        task_queue=name,
        what=f"no worker {polls} the task queue {name} for {tasks}{lately}; {many}{last.last_text()}",
        hint=hint.text,
        command=hint.command,
        since=first.since,
        workflows=workflows,
    )
