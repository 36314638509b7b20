"""Which task queues have a worker: the test's own, or one that the server knows."""

from __future__ import annotations

from datetime import datetime, timezone

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.operatorservice.v1 import ListNexusEndpointsRequest
from temporalio.client import Client

from devserver.client import ServiceCalls, still_polls

from .workers import Workers

ACTIVITY = TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY
WORKFLOW = TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW
NEXUS = TaskQueueType.TASK_QUEUE_TYPE_NEXUS
REGISTERED = {ACTIVITY: "activities", WORKFLOW: "workflows", NEXUS: "nexus_service_handlers"}


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
        if ours:  # the server also remembers a worker that has stopped
            return any(worker.polls(REGISTERED[kind]) for worker in ours)
        now = datetime.now(timezone.utc)
        return any(still_polls(poller, now) for poller in await self._calls.pollers(queue, kind))

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
