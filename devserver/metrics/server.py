"""The main metrics of a server, from its endpoint."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .latency import Match
from .model import EventCount, OperationMetrics, ServerMetrics, TaskQueueMetrics, busiest_first, zero_like
from .parser import ParsedMetrics
from .snapshot import MetricsSnapshot, RateChange

SYSTEM_NAMESPACE = "temporal_system"
SYSTEM_QUEUES = "temporal_sys_"
LONG_POLLS = "Poll"

WORKFLOWS = {
    "completed": "workflow_success",
    "failed": "workflow_failed",
    "timed_out": "workflow_timeout",
    "canceled": "workflow_cancel",
    "terminated": "workflow_terminate",
    "continued_as_new": "workflow_continued_as_new",
}
ACTIVITIES = {
    "completed": "activity_success",
    "failed": "activity_fail",
    "timed_out": "activity_timeout",
    "canceled": "activity_cancel",
    "attempts_failed": "activity_task_fail",
    "attempts_timed_out": "activity_task_timeout",
}
WORKFLOW_TASKS_FAILED = "failed_workflow_tasks"
REQUESTS, ERRORS, DURATIONS = "service_requests", "service_error_with_type", "service_latency"
STORES = {
    "database": ("persistence_requests", "persistence_error_with_type", "persistence_latency"),
    "visibility": (
        "visibility_persistence_requests",
        "visibility_persistence_error_with_type",
        "visibility_persistence_latency",
    ),
}
BACKLOG, BACKLOG_AGE = "approximate_backlog_count", "approximate_backlog_age_seconds"
POLLS, SYNC_POLLS, EMPTY_POLLS = "poll_success", "poll_success_sync", "poll_timeouts"
WAITING_POLLS, UNPOLLED = "pending_polls", "no_poller_tasks"
BUILD, HEAP, GOROUTINES = "build_information", "memory_heapinuse", "num_goroutines"

SERVER_NAMES = frozenset(
    [
        *WORKFLOWS.values(),
        *ACTIVITIES.values(),
        *(name for names in STORES.values() for name in names),
        *(REQUESTS, ERRORS, DURATIONS, WORKFLOW_TASKS_FAILED, BACKLOG, BACKLOG_AGE, POLLS, SYNC_POLLS, EMPTY_POLLS),
        *(WAITING_POLLS, UNPOLLED, BUILD, HEAP, GOROUTINES),
    ]
)


def server_metrics(now: ParsedMetrics, change: RateChange | None = None, namespace: str | None = None) -> ServerMetrics:
    """The metrics of a server; with `namespace` only its work for that namespace.

    Args:
        now: The scrape of its endpoint.
        change: The change since the scrape before; None for the first.
    """
    snapshot = MetricsSnapshot(now, change)
    in_namespace = _namespace_match(namespace)
    return ServerMetrics(
        version=_version(now),
        workflows=_workflows(snapshot, in_namespace),
        activities={end: snapshot.count(name, in_namespace) for end, name in ACTIVITIES.items()},
        requests=_requests(snapshot, in_namespace),
        task_queues=_task_queues(snapshot, in_namespace),
        storage=tuple(_store(snapshot, name, *names) for name, names in STORES.items()),
        heap_bytes=snapshot.gauge(HEAP, combine=max),
        goroutines=snapshot.gauge(GOROUTINES, combine=max),
    )


def label_value(name: str) -> str:
    """The name of a namespace or task queue in the server's labels: everything but letters and digits becomes `_`."""
    return re.sub(r"[^A-Za-z0-9_]", "_", name)


def _namespace_match(namespace: str | None) -> Match:
    if namespace is None:
        return lambda labels: labels.get("namespace") != SYSTEM_NAMESPACE
    value = label_value(namespace)
    return lambda labels: labels.get("namespace") == value


def _version(now: ParsedMetrics) -> str | None:
    versions = [labels.get("build_version", "") for labels, _ in now.all(BUILD)]
    return versions[0].replace("_", ".") if versions else None


def _workflows(snapshot: MetricsSnapshot, match: Match) -> dict[str, EventCount]:
    """Started workflows are those whose creation was written to the database; continue-as-new is not a start."""

    def created(labels: Mapping[str, str]) -> bool:
        return labels.get("operation") == "CreateWorkflowExecution" and match(labels)

    requests, errors, _ = STORES["database"]
    attempts, refused = snapshot.count(requests, created), snapshot.count(errors, created)
    per_second = None if attempts.per_second is None else max(0.0, attempts.per_second - (refused.per_second or 0.0))
    started = {"started": EventCount(max(0, attempts.total - refused.total), per_second)}
    ends = {end: snapshot.count(name, match) for end, name in WORKFLOWS.items()}
    return {**started, **ends, "tasks_failed": snapshot.count(WORKFLOW_TASKS_FAILED, match)}


def _requests(snapshot: MetricsSnapshot, match: Match) -> tuple[OperationMetrics, ...]:
    """The calls of clients and workers, as the frontend counts them."""

    def frontend(labels: Mapping[str, str]) -> bool:
        return labels.get("service_name") == "frontend" and match(labels)

    operations = []
    for name, part in snapshot.split(lambda labels: labels.get("operation", "")).items():
        if not any(frontend(labels) for labels, _ in part.now.all(REQUESTS)):
            continue
        requests = part.count(REQUESTS, frontend)
        waits = name.startswith(LONG_POLLS)
        latency = None if waits else part.latency(DURATIONS, frontend)
        operations.append(OperationMetrics(name, requests, *_errors(part, ERRORS, frontend, requests), latency, waits))
    return busiest_first(operations)


def _store(snapshot: MetricsSnapshot, name: str, requests: str, errors: str, durations: str) -> OperationMetrics:
    def match(_: Mapping[str, str]) -> bool:
        return True

    calls = snapshot.count(requests)
    return OperationMetrics(name, calls, *_errors(snapshot, errors, match, calls), snapshot.latency(durations, match))


def _errors(
    snapshot: MetricsSnapshot, name: str, match: Match, requests: EventCount
) -> tuple[EventCount, dict[str, EventCount]]:
    counts = snapshot.count_by(name, "error_type", match)
    by_type: dict[str, EventCount] = {}
    for kind, count in counts.items():
        by_type[kind.removeprefix("serviceerror_").removeprefix("persistence_")] = count
    return snapshot.count(name, match) if counts else zero_like(requests), by_type


def _task_queues(snapshot: MetricsSnapshot, match: Match) -> tuple[TaskQueueMetrics, ...]:
    keys = {
        _queue_of(labels)
        for name in (BACKLOG, POLLS, WAITING_POLLS, UNPOLLED)
        for labels, _ in snapshot.now.all(name)
        if match(labels) and not labels.get("taskqueue", "").startswith(SYSTEM_QUEUES)
    }
    queues = [_task_queue(part, *key) for key, part in snapshot.split(_queue_of).items() if key in keys]
    return tuple(sorted(queues, key=_size))


def _size(queue: TaskQueueMetrics) -> tuple[int, int, str, str]:
    return -(queue.backlog or 0), -queue.dispatched.total, queue.name, queue.type


def _queue_of(labels: Mapping[str, str]) -> tuple[str, str, str]:
    return labels.get("namespace", ""), labels.get("taskqueue", ""), labels.get("task_type", "")


def _task_queue(snapshot: MetricsSnapshot, namespace: str, name: str, kind: str) -> TaskQueueMetrics:
    """The task queue of a snapshot that has its series only."""
    age = snapshot.gauge(BACKLOG_AGE, combine=max)
    return TaskQueueMetrics(
        namespace=namespace,
        name=name,
        type=kind.lower(),
        backlog=snapshot.gauge(BACKLOG),
        backlog_age_seconds=None if age is None else float(age),
        pollers=snapshot.gauge(WAITING_POLLS) or 0,
        dispatched=snapshot.count(POLLS),
        at_once=snapshot.count(SYNC_POLLS),
        empty_polls=snapshot.count(EMPTY_POLLS),
        unpolled=snapshot.count(UNPOLLED),
    )
