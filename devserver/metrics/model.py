"""The main figures of a server and of a worker, as records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .latency import Latency


@dataclass(frozen=True)
class EventCount:
    """How often something happened since the process began, and how often a second lately; None at a first look."""

    total: int
    per_second: float | None


@dataclass(frozen=True)
class OperationMetrics:
    """Calls of one kind: how many, how many failed and how, and how long they took (None: none lately, or they wait
    on purpose, as polls do).
    """

    name: str
    requests: EventCount
    errors: EventCount
    errors_by_type: Mapping[str, EventCount]
    latency: Latency | None
    waits: bool = False


@dataclass(frozen=True)
class TaskQueueMetrics:
    """A task queue as matching sees it, all partitions together. `type` is `workflow`, `activity` or `nexus`.

    Args:
        backlog: Tasks that wait, about; None where the server has not counted yet (it does so from time to time).
        backlog_age_seconds: How long the oldest of them waits, about.
        pollers: Polls that wait for a task now.
        dispatched: Polls that got a task, and `at_once` those of them whose task had not waited in the backlog.
        empty_polls: Polls that got none before they timed out.
        unpolled: Tasks that came while nobody polled.
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
    """A server. Lists are ordered, what is most on top; the server's own workflows and task queues are left out.

    Args:
        version: As `1.32.0`, None where it does not tell.
        workflows, activities: How many runs came to which end: see docs/metrics.md.
        storage: All calls of the database, and of visibility.
        heap_bytes, goroutines: Of the Go runtime.
        resident_bytes: Of the process, None where it is not one of ours.
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
    """How many tasks of a kind a worker has in hand, and how many more it would take (None: it does not say)."""

    used: int
    available: int | None


@dataclass(frozen=True)
class WorkerQueueMetrics:
    """A worker on one task queue.

    Args:
        slots: By what they are for: `workflow`, `activity`, `local activity`, `nexus`.
        pollers: Calls that wait for a task, by kind.
        cached: Workflows in the sticky cache; `cache_hits` and `cache_misses` of workflow tasks.
        workflow_tasks, activities: How long they ran, and how many failed.
        workflow_task_wait, activity_wait: From scheduled to started.
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
    """A worker process: each of its task queues, and its calls of the server."""

    queues: tuple[WorkerQueueMetrics, ...]
    requests: tuple[OperationMetrics, ...]


def none_like(count: EventCount) -> EventCount:
    """Nothing happened, and at no rate where `count` has none."""
    return EventCount(0, None if count.per_second is None else 0.0)


def busiest(operations: list[OperationMetrics]) -> tuple[OperationMetrics, ...]:
    """What is called most (lately, or ever) first; what waits on purpose last."""

    def rank(each: OperationMetrics) -> tuple[bool, float, int, str]:
        return (each.waits, -(each.requests.per_second or 0.0), -each.requests.total, each.name)

    return tuple(sorted(operations, key=rank))
