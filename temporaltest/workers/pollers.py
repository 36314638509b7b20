"""Which task queues have a worker: the test's own, or one that the server knows."""

from __future__ import annotations

from datetime import datetime, timezone

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.operatorservice.v1 import ListNexusEndpointsRequest
from temporalio.client import Client

from devserver.client import ServiceCalls, still_polls, to_datetime

from .workers import Workers

ACTIVITY = TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY
WORKFLOW = TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW
NEXUS = TaskQueueType.TASK_QUEUE_TYPE_NEXUS
REGISTERED = {ACTIVITY: "activities", WORKFLOW: "workflows", NEXUS: "nexus_service_handlers"}


BUSY = "check whether it has a free slot, is frozen or was killed"


async def last_poll(calls: ServiceCalls, queue: str, kind: TaskQueueType.ValueType) -> float | None:
    """Seconds since a worker polled a queue, which the server remembers for five minutes; None if none did.

    It forgets at once a worker that has stopped in order.
    """
    polls = [to_datetime(poller.last_access_time) for poller in await calls.pollers(queue, kind)]
    return (datetime.now(timezone.utc) - max(polls)).total_seconds() if polls else None


def since_text(queue: str, seconds: float | None) -> str:
    """When a worker has polled a queue. A worker that waits for tasks polls once a minute."""
    if seconds is None:
        return f"a worker of the test polls the task queue {queue!r}"
    return f"a worker has last polled the task queue {queue!r} {max(0, seconds):.0f} s ago"


class Pollers:
    """The workers of the test and the pollers that the server has seen."""

    def __init__(self, client: Client, workers: Workers) -> None:
        self._client = client
        self._calls = ServiceCalls(client)
        self._workers = workers

    async def polled(self, queue: str, kind: TaskQueueType.ValueType) -> bool:
        """Whether a worker polls a queue. Workers of the test count before their first poll."""
        if any(name == queue for _, name in self._workers.starting):
            return True
        ours = [worker for worker in self._workers.running if worker.task_queue == queue]
        if any(worker.polls(REGISTERED[kind]) for worker in ours):
            return True
        stopped = {worker.identity for worker in ours}  # which the server may remember
        now = datetime.now(timezone.utc)
        found = await self._calls.pollers(queue, kind)
        return any(still_polls(poller, now) and poller.identity not in stopped for poller in found)

    async def waiting(self, queue: str, kind: TaskQueueType.ValueType, advice: str) -> str:
        """What is known of workers for a task that waits in a queue; `advice` is how to start one."""
        since = await last_poll(self._calls, queue, kind)
        if await self.polled(queue, kind):
            return f"{since_text(queue, since)}, and none has started it: {BUSY}"
        if any(worker.task_queue == queue for worker in self._workers.running):
            return f"no worker polls the task queue {queue!r} now: those of this test have stopped"
        if since is None:
            return f"no worker polls the task queue {queue!r}: {advice}"
        return f"no worker polls the task queue {queue!r} now: {since_text(queue, since)}"

    def registered(self, queue: str, kind: TaskQueueType.ValueType, name: str) -> bool:
        """Whether a worker of the test that polls a queue has a workflow or activity."""
        ours = [worker for worker in self._workers.running if worker.task_queue == queue]
        return any(worker.registers(REGISTERED[kind], name) for worker in ours)

    def missing(self, queue: str, kind: TaskQueueType.ValueType, what: str, name: str) -> str:
        """The text for a queue that no worker polls, and how to start one."""
        others = sorted({w.task_queue for w in self._workers.running if not w.task.done()} - {queue})
        polled = f"; this test's workers poll {', '.join(map(repr, others))}" if others else ""
        advice = f"start one: temporal.worker({REGISTERED[kind]}=[{name}], task_queue={queue!r})"
        return f"no worker polls {queue!r}, the task queue of {what}{polled}\n{advice}"

    async def unserved(self, endpoint: str) -> str:
        """The text for a Nexus endpoint whose task queue no worker polls; '' if one does, or if it is unknown."""
        request = ListNexusEndpointsRequest(name=endpoint)
        answer = await self._calls.call(self._client.operator_service.list_nexus_endpoints, request)
        for found in answer.endpoints:
            target = found.spec.target.worker
            if target.namespace == self._client.namespace and not await self.polled(target.task_queue, NEXUS):
                return f"no worker polls {target.task_queue!r} (Nexus endpoint {endpoint!r})"
        return ""
