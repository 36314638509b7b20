"""Records of the main metrics of a server and of a worker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .latency import Latency


@dataclass(frozen=True)
class EventCount:
    """How often something happened: since the process began, and per second since the scrape before.

    `per_second` is None for the first scrape.
    """

    total: int
    per_second: float | None


@dataclass(frozen=True)
class OperationMetrics:
    """Calls of one operation: how many, how many failed, and how long they took.

    Args:
        errors_by_type: The failed calls by type of error.
        latency: None without calls since the scrape before, and for long polls.
        waits: Whether the operation is a long poll, which waits on purpose.
    """

    name: str
    requests: EventCount
    errors: EventCount
    errors_by_type: Mapping[str, EventCount]
    latency: Latency | None
    waits: bool = False


@dataclass(frozen=True)
class TaskQueueMetrics:
    """A task queue as the matching service counts it, all partitions together.

    Args:
        type: `workflow`, `activity` or `nexus`.
        backlog: About how many tasks wait; None if the server has not counted yet, which it does from time to time.
        backlog_age_seconds: About how long the oldest of them has waited.
        pollers: Polls that are waiting for a task.
        dispatched: Polls that got a task.
        at_once: Polls that got a task that had not waited in the backlog.
        empty_polls: Polls that timed out without a task.
        unpolled: Tasks that arrived while no worker was polling.
    """

    namespace: str
    name: str
    type: str
    backlog: int | None
    backlog_age_seconds: float | None
    pollers: int
    dispatched: EventCount
    at_once: EventCount
    empty_polls: EventCount
    unpolled: EventCount


@dataclass(frozen=True)
class ServerMetrics:
    """A server. Lists are sorted by size; the server's own workflows and task queues are left out.

    Args:
        version: The server's version, such as `1.32.0`; None if it does not report one.
        workflows, activities: How many ended, by result (see docs/metrics.md).
        requests: The calls of clients and workers.
        storage: All calls of the database, and all of visibility.
        heap_bytes, goroutines: Of the Go runtime.
        resident_bytes: Resident memory of the process; None if it is not a devserver instance.
    """

    version: str | None
    workflows: Mapping[str, EventCount]
    activities: Mapping[str, EventCount]
    requests: tuple[OperationMetrics, ...]
    task_queues: tuple[TaskQueueMetrics, ...]
    storage: tuple[OperationMetrics, ...]
    heap_bytes: int | None
    goroutines: int | None
    resident_bytes: int | None = None


@dataclass(frozen=True)
class TaskSlots:
    """The task slots of a worker: how many are used, and how many more there are (None: not reported)."""

    used: int
    available: int | None


@dataclass(frozen=True)
class WorkerQueueMetrics:
    """A worker on one task queue.

    Args:
        slots: Task slots by kind: `workflow`, `activity`, `local activity`, `nexus`.
        pollers: Polls that are waiting for a task, by kind.
        cached: Workflows in the sticky cache.
        cache_hits, cache_misses: Of workflow tasks.
        workflows: How many ended, by result.
        workflow_tasks, activities: How often they ran and failed, and how long they ran.
        workflow_task_wait, activity_wait: Schedule-to-start latencies.
    """

    namespace: str
    task_queue: str
    slots: Mapping[str, TaskSlots]
    pollers: Mapping[str, int]
    cached: int
    cache_hits: EventCount
    cache_misses: EventCount
    workflows: Mapping[str, EventCount]
    workflow_tasks: OperationMetrics
    activities: tuple[OperationMetrics, ...]
    workflow_task_wait: Latency | None
    activity_wait: Latency | None


@dataclass(frozen=True)
class WorkerMetrics:
    """A worker process: each of its task queues, and its calls to the server."""

    queues: tuple[WorkerQueueMetrics, ...]
    requests: tuple[OperationMetrics, ...]


def zero_like(count: EventCount) -> EventCount:
    """A count of zero, with a rate if `count` has one."""
    return EventCount(0, None if count.per_second is None else 0.0)


def busiest_first(operations: list[OperationMetrics]) -> tuple[OperationMetrics, ...]:
    """The operations by rate, then by total; long polls last."""

    def rank(operation: OperationMetrics) -> tuple[bool, float, int, str]:
        requests = operation.requests
        return operation.waits, -(requests.per_second or 0.0), -requests.total, operation.name

    return tuple(sorted(operations, key=rank))
