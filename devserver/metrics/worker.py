"""The main metrics of a worker, from the endpoint of its SDK."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from .latency import Latency, Match
from .model import EventCount, OperationMetrics, TaskSlots, WorkerMetrics, WorkerQueueMetrics, busiest_first, zero_like
from .parser import ParsedMetrics
from .snapshot import MetricsSnapshot, RateChange

SLOTS_USED, SLOTS_FREE = "temporal_worker_task_slots_used", "temporal_worker_task_slots_available"
POLLERS = "temporal_num_pollers"
CACHED = "temporal_sticky_cache_size"
CACHE_HITS, CACHE_MISSES = "temporal_sticky_cache_hit", "temporal_sticky_cache_miss"
WORKFLOWS = {
    "completed": "temporal_workflow_completed",
    "failed": "temporal_workflow_failed",
    "canceled": "temporal_workflow_canceled",
    "continued_as_new": "temporal_workflow_continue_as_new",
}
TASK_DURATIONS, TASKS_FAILED = "temporal_workflow_task_execution_latency", "temporal_workflow_task_execution_failed"
TASK_WAITS = "temporal_workflow_task_schedule_to_start_latency"
ACTIVITY_DURATIONS, ACTIVITIES_FAILED = (
    "temporal_activity_execution_latency",
    "temporal_activity_execution_failed",
)
ACTIVITY_WAITS = "temporal_activity_schedule_to_start_latency"
CALLS = {
    "temporal_request": ("temporal_request_failure", "temporal_request_latency"),
    "temporal_long_request": ("temporal_long_request_failure", None),
}

WORKER_NAMES = frozenset(
    [
        *(SLOTS_USED, SLOTS_FREE, POLLERS, CACHED, CACHE_HITS, CACHE_MISSES, *WORKFLOWS.values()),
        *(TASK_DURATIONS, TASKS_FAILED, TASK_WAITS, ACTIVITY_DURATIONS, ACTIVITIES_FAILED, ACTIVITY_WAITS),
        *CALLS,
        *(name for names in CALLS.values() for name in names if name),
    ]
)


def worker_metrics(now: ParsedMetrics, change: RateChange | None = None, namespace: str | None = None) -> WorkerMetrics:
    """The metrics of a worker process; with `namespace` only its work for that namespace.

    Args:
        now: The scrape of its endpoint.
        change: The change since the scrape before; None for the first.
    """
    snapshot = MetricsSnapshot(now, change)
    keys = {
        (labels["namespace"], labels["task_queue"])
        for name in (SLOTS_USED, POLLERS, CACHED, TASK_DURATIONS, ACTIVITY_DURATIONS)
        for labels, _ in [*now.all(name), *now.all(f"{name}_count")]
        if {"namespace", "task_queue"} <= labels.keys() and namespace in (None, labels["namespace"])
    }
    return WorkerMetrics(tuple(_queue(snapshot, *key) for key in sorted(keys)), _requests(snapshot, namespace))


def _queue(snapshot: MetricsSnapshot, namespace: str, name: str) -> WorkerQueueMetrics:
    def match(labels: Mapping[str, str]) -> bool:
        return labels.get("namespace") == namespace and labels.get("task_queue") == name

    return WorkerQueueMetrics(
        namespace=namespace,
        task_queue=name,
        slots=_slots(snapshot, match),
        pollers={
            kind.replace("_", " "): round(value)
            for labels, value in snapshot.now.all(POLLERS)
            if match(labels) and (kind := labels.get("poller_type", ""))
        },
        cached=snapshot.gauge(CACHED, match) or 0,
        cache_hits=snapshot.count(CACHE_HITS, match),
        cache_misses=snapshot.count(CACHE_MISSES, match),
        workflows={end: snapshot.count(counter, match) for end, counter in WORKFLOWS.items()},
        workflow_tasks=_timed(snapshot, "workflow tasks", TASK_DURATIONS, TASKS_FAILED, match),
        activities=_activities(snapshot, match),
        workflow_task_wait=snapshot.latency(TASK_WAITS, match),
        activity_wait=snapshot.latency(ACTIVITY_WAITS, match),
    )


def _slots(snapshot: MetricsSnapshot, match: Match) -> dict[str, TaskSlots]:
    slots = {}
    for labels, used in snapshot.now.all(SLOTS_USED):
        if match(labels):
            kind = labels.get("worker_type", "")
            free = sum(value for other, value in snapshot.now.all(SLOTS_FREE, worker_type=kind) if match(other))
            reported = any(match(other) for other, _ in snapshot.now.all(SLOTS_FREE, worker_type=kind))
            words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind.removesuffix("Worker")).lower()
            slots[words] = TaskSlots(round(used), round(free) if reported else None)
    return dict(sorted(slots.items(), reverse=True))


def _activities(snapshot: MetricsSnapshot, match: Match) -> tuple[OperationMetrics, ...]:
    counts = snapshot.now.all(f"{ACTIVITY_DURATIONS}_count")
    kinds = {labels.get("activity_type", "") for labels, _ in counts if match(labels)}
    operations = []
    for kind in kinds:

        def of_kind(labels: Mapping[str, str], kind: str = kind) -> bool:
            return labels.get("activity_type", "") == kind and match(labels)

        operations.append(_timed(snapshot, kind, ACTIVITY_DURATIONS, ACTIVITIES_FAILED, of_kind))
    return busiest_first(operations)


def _timed(snapshot: MetricsSnapshot, name: str, durations: str, failures: str, match: Match) -> OperationMetrics:
    """An operation that has a histogram and no counter of its own."""
    requests = snapshot.count(f"{durations}_count", match)
    return _operation(snapshot, name, requests, failures, "failure_reason", match, snapshot.latency(durations, match))


def _requests(snapshot: MetricsSnapshot, namespace: str | None) -> tuple[OperationMetrics, ...]:
    def in_namespace(labels: Mapping[str, str]) -> bool:
        return namespace in (None, labels.get("namespace"))

    operations = []
    for counter, (failures, durations) in CALLS.items():
        for name, requests in snapshot.count_by(counter, "operation", in_namespace).items():

            def match(labels: Mapping[str, str], name: str = name) -> bool:
                return labels.get("operation") == name and in_namespace(labels)

            latency = snapshot.latency(durations, match) if durations else None
            operation = _operation(snapshot, name, requests, failures, "status_code", match, latency)
            operations.append(replace(operation, waits=durations is None))
    return busiest_first(operations)


def _operation(
    snapshot: MetricsSnapshot,
    name: str,
    requests: EventCount,
    failures: str,
    label: str,
    match: Match,
    latency: Latency | None,
) -> OperationMetrics:
    by_type = snapshot.count_by(failures, label, match)
    errors = snapshot.count(failures, match) if by_type else zero_like(requests)
    return OperationMetrics(name, requests, errors, by_type, latency)
