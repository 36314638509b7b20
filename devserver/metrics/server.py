"""A server's main figures, from its endpoint."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .latency import Match
from .model import EventCount, OperationMetrics, ServerMetrics, TaskQueueMetrics, busiest, none_like
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

WANTED = frozenset(
    [
        *WORKFLOWS.values(),
        *ACTIVITIES.values(),
        *(name for names in STORES.values() for name in names),
        *(REQUESTS, ERRORS, DURATIONS, WORKFLOW_TASKS_FAILED, BACKLOG, BACKLOG_AGE, POLLS, SYNC_POLLS, EMPTY_POLLS),
        *(WAITING_POLLS, UNPOLLED, BUILD, HEAP, GOROUTINES),
    ]
)


def server_metrics(now: ParsedMetrics, change: RateChange | None = None, namespace: str | None = None) -> ServerMetrics:
    """The figures of the server whose endpoint answered `now`; with `namespace` of what is done in that one only."""
    look = MetricsSnapshot(now, change)
    here = _in(namespace)
    return ServerMetrics(
        version=_version(now),
        workflows=_workflows(look, here),
        activities={end: look.count(name, here) for end, name in ACTIVITIES.items()},
        requests=_requests(look, here),
        task_queues=_task_queues(look, here),
        storage=tuple(_store(look, name, *names) for name, names in STORES.items()),
        heap_bytes=look.gauge(HEAP, take=max),
        goroutines=look.gauge(GOROUTINES, take=max),
    )


def spelled(name: str) -> str:
    """A namespace's or task queue's name as the server's labels have it: letters and digits, all else is `_`."""
    return re.sub(r"[^A-Za-z0-9_]", "_", name)


def _in(namespace: str | None) -> Match:
    if namespace is None:
        return lambda labels: labels.get("namespace") != SYSTEM_NAMESPACE
    wanted = spelled(namespace)
    return lambda labels: labels.get("namespace") == wanted


def _version(now: ParsedMetrics) -> str | None:
    versions = [labels.get("build_version", "") for labels, _ in now.all(BUILD)]
    return versions[0].replace("_", ".") if versions else None


def _workflows(look: MetricsSnapshot, here: Match) -> dict[str, EventCount]:
    """Started are the executions that were written into the database: what continues as new is no start."""

    def created(labels: Mapping[str, str]) -> bool:
        return labels.get("operation") == "CreateWorkflowExecution" and here(labels)

    requests, errors, _ = STORES["database"]
    tried, refused = look.count(requests, created), look.count(errors, created)
    lately = None if tried.per_second is None else max(0.0, tried.per_second - (refused.per_second or 0.0))
    started = {"started": EventCount(max(0, tried.total - refused.total), lately)}
    ends = {end: look.count(name, here) for end, name in WORKFLOWS.items()}
    return {**started, **ends, "tasks_failed": look.count(WORKFLOW_TASKS_FAILED, here)}


def _requests(look: MetricsSnapshot, here: Match) -> tuple[OperationMetrics, ...]:
    """What clients and workers call, as the frontend counts it."""

    def frontend(labels: Mapping[str, str]) -> bool:
        return labels.get("service_name") == "frontend" and here(labels)

    found = []
    for name, part in look.parted(lambda labels: labels.get("operation", "")).items():
        if not any(frontend(labels) for labels, _ in part.now.all(REQUESTS)):
            continue
        requests = part.count(REQUESTS, frontend)
        waits = name.startswith(LONG_POLLS)
        took = None if waits else part.latency(DURATIONS, frontend)
        found.append(OperationMetrics(name, requests, *_errors(part, ERRORS, frontend, requests), took, waits))
    return busiest(found)


def _store(look: MetricsSnapshot, name: str, requests: str, errors: str, durations: str) -> OperationMetrics:
    def match(_: Mapping[str, str]) -> bool:
        return True

    calls = look.count(requests)
    return OperationMetrics(name, calls, *_errors(look, errors, match, calls), look.latency(durations, match))


def _errors(
    look: MetricsSnapshot, name: str, match: Match, requests: EventCount
) -> tuple[EventCount, dict[str, EventCount]]:
    found = look.by(name, "error_type", match)
    by_type: dict[str, EventCount] = {}
    for kind, count in found.items():
        by_type[kind.removeprefix("serviceerror_").removeprefix("persistence_")] = count
    return look.count(name, match) if found else none_like(requests), by_type


def _task_queues(look: MetricsSnapshot, here: Match) -> tuple[TaskQueueMetrics, ...]:
    keys = {
        _queue_of(labels)
        for name in (BACKLOG, POLLS, WAITING_POLLS, UNPOLLED)
        for labels, _ in look.now.all(name)
        if here(labels) and not labels.get("taskqueue", "").startswith(SYSTEM_QUEUES)
    }
    queues = [_task_queue(part, *key) for key, part in look.parted(_queue_of).items() if key in keys]
    return tuple(sorted(queues, key=lambda each: (-(each.backlog or 0), -each.dispatched.total, each.name, each.type)))


def _queue_of(labels: Mapping[str, str]) -> tuple[str, str, str]:
    return labels.get("namespace", ""), labels.get("taskqueue", ""), labels.get("task_type", "")


def _task_queue(look: MetricsSnapshot, namespace: str, name: str, kind: str) -> TaskQueueMetrics:
    """Of a look at its series only."""
    age = look.gauge(BACKLOG_AGE, take=max)
    return TaskQueueMetrics(
        namespace=namespace,
        name=name,
        type=kind.lower(),
        backlog=look.gauge(BACKLOG),
        backlog_age_seconds=None if age is None else float(age),
        pollers=look.gauge(WAITING_POLLS) or 0,
        dispatched=look.count(POLLS),
        at_once=look.count(SYNC_POLLS),
        empty_polls=look.count(EMPTY_POLLS),
        unpolled=look.count(UNPOLLED),
    )
