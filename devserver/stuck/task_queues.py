"""Looks at the task queues that workflows need workers on, and says which of them nobody polls."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from temporalio.api.enums.v1 import WorkerStatus
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.worker.v1 import WorkerHeartbeat
from temporalio.api.workflowservice.v1 import (
    DescribeTaskQueueRequest,
    DescribeTaskQueueResponse,
    ListWorkersRequest,
)
from temporalio.service import RPCError

from ..client.calls import POLLS_WITHIN, ServiceCalls
from ..client.timestamps import to_datetime
from ..errors import CannotAsk
from . import hints
from .findings import Finding
from .inspection import ACTIVITY, PollerNeed, Queue, Suspect
from .queue_state import QueueState, last_of

# By default, a worker reports its slots every minute.
REPORTED_WITHIN = timedelta(seconds=150)
MAX_REPORTS = 1000


async def task_queue_findings(
    calls: ServiceCalls, suspects: Sequence[Suspect], needs: Iterable[PollerNeed], now: datetime
) -> list[Finding]:
    """The suspects that count, with what their task queue shows, and a finding for each task queue without workers."""
    wanted: dict[Queue, list[PollerNeed]] = defaultdict(list)
    for need in needs:
        wanted[need.queue].append(need)
    states = await _states(calls, list(wanted), now)
    unpolled = [queue for queue in wanted if states[queue].unpolled]
    found = [_explained(suspect, states) for suspect in suspects if suspect.unless_unpolled not in unpolled]
    for name in {name for name, _ in unpolled}:
        kinds = [queue for queue in unpolled if queue[0] == name]
        found.append(_no_worker([states[kind] for kind in kinds], [need for kind in kinds for need in wanted[kind]]))
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
    except (CannotAsk, RPCError):  # the same server is asked about the task queues, so this is not all that fails
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


def _no_worker(states: Sequence[QueueState], needs: Sequence[PollerNeed]) -> Finding:
    name = states[0].queue[0]
    waiting = sorted((need for need in needs if need.since), key=lambda need: need.since or datetime.max)
    first = (waiting or needs)[0]
    tasks = " and ".join(
        sorted(("activities" if state.queue[1] == ACTIVITY else "workflow tasks" for state in states), reverse=True)
    )
    workflows = len({need.workflow.execution.run_id for need in needs})
    many = f"{workflows} open workflows need one" if workflows > 1 else "this workflow needs one"
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
