"""A worker's main figures, from the endpoint of the SDK it runs on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from .latency import Latency, Match
from .model import EventCount, OperationMetrics, TaskSlots, WorkerMetrics, WorkerQueueMetrics, busiest, none_like
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

WANTED = frozenset(
    [
        *(SLOTS_USED, SLOTS_FREE, POLLERS, CACHED, CACHE_HITS, CACHE_MISSES, *WORKFLOWS.values()),
        *(TASK_DURATIONS, TASKS_FAILED, TASK_WAITS, ACTIVITY_DURATIONS, ACTIVITIES_FAILED, ACTIVITY_WAITS),
        *CALLS,
        *(name for names in CALLS.values() for name in names if name),
    ]
)


def worker_metrics(now: ParsedMetrics, change: RateChange | None = None, namespace: str | None = None) -> WorkerMetrics:
    """The figures of the worker process whose endpoint answered `now`; with `namespace` of that one only."""
    look = MetricsSnapshot(now, change)
    keys = {
        (labels["namespace"], labels["task_queue"])
        for name in (SLOTS_USED, POLLERS, CACHED, TASK_DURATIONS, ACTIVITY_DURATIONS)
        for labels, _ in [*now.all(name), *now.all(f"{name}_count")]
        if {"namespace", "task_queue"} <= labels.keys() and namespace in (None, labels["namespace"])
    }
    return WorkerMetrics(tuple(_queue(look, *key) for key in sorted(keys)), _requests(look, namespace))


def _queue(look: MetricsSnapshot, namespace: str, name: str) -> WorkerQueueMetrics:
    def match(labels: Mapping[str, str]) -> bool:
        return labels.get("namespace") == namespace and labels.get("task_queue") == name

    return WorkerQueueMetrics(
        namespace=namespace,
        task_queue=name,
        slots=_slots(look, match),
        pollers={
            kind.replace("_", " "): round(value)
            for labels, value in look.now.all(POLLERS)
            if match(labels) and (kind := labels.get("poller_type", ""))
        },
        cached=look.gauge(CACHED, match) or 0,
        cache_hits=look.count(CACHE_HITS, match),
        cache_misses=look.count(CACHE_MISSES, match),
        workflows={end: look.count(counter, match) for end, counter in WORKFLOWS.items()},
        workflow_tasks=_timed(look, "workflow tasks", TASK_DURATIONS, TASKS_FAILED, match),
        activities=_activities(look, match),
        workflow_task_wait=look.latency(TASK_WAITS, match),
        activity_wait=look.latency(ACTIVITY_WAITS, match),
    )


def _slots(look: MetricsSnapshot, match: Match) -> dict[str, TaskSlots]:
    found = {}
    for labels, used in look.now.all(SLOTS_USED):
        if match(labels):
            kind = labels.get("worker_type", "")
            free = sum(value for other, value in look.now.all(SLOTS_FREE, worker_type=kind) if match(other))
            told = any(match(other) for other, _ in look.now.all(SLOTS_FREE, worker_type=kind))
            words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind.removesuffix("Worker")).lower()
            found[words] = TaskSlots(round(used), round(free) if told else None)
    return dict(sorted(found.items(), reverse=True))


def _activities(look: MetricsSnapshot, match: Match) -> tuple[OperationMetrics, ...]:
    kinds = {
        labels.get("activity_type", "") for labels, _ in look.now.all(f"{ACTIVITY_DURATIONS}_count") if match(labels)
    }
    found = []
    for kind in kinds:

        def of_kind(labels: Mapping[str, str], kind: str = kind) -> bool:
            return labels.get("activity_type", "") == kind and match(labels)

        found.append(_timed(look, kind, ACTIVITY_DURATIONS, ACTIVITIES_FAILED, of_kind))
    return busiest(found)


def _timed(look: MetricsSnapshot, name: str, durations: str, failures: str, match: Match) -> OperationMetrics:
    """What the SDK times and does not count besides."""
    requests = look.count(f"{durations}_count", match)
    return _operation(look, name, requests, failures, "failure_reason", match, look.latency(durations, match))


def _requests(look: MetricsSnapshot, namespace: str | None) -> tuple[OperationMetrics, ...]:
    def here(labels: Mapping[str, str]) -> bool:
        return namespace in (None, labels.get("namespace"))

    found = []
    for counter, (failures, durations) in CALLS.items():
        for name, requests in look.by(counter, "operation", here).items():

            def match(labels: Mapping[str, str], name: str = name) -> bool:
                return labels.get("operation") == name and here(labels)

            took = look.latency(durations, match) if durations else None
            called = _operation(look, name, requests, failures, "status_code", match, took)
            found.append(replace(called, waits=durations is None))
    return busiest(found)


def _operation(
    look: MetricsSnapshot,
    name: str,
    requests: EventCount,
    failures: str,
    label: str,
    match: Match,
    took: Latency | None,
) -> OperationMetrics:
    by_type = look.by(failures, label, match)
    errors = look.count(failures, match) if by_type else none_like(requests)
    return OperationMetrics(name, requests, errors, by_type, took)
