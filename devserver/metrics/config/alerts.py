"""Alerting rules for servers and workers, in PromQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..server import BACKLOG_AGE, ERRORS, REQUESTS, STORES, UNPOLLED, WORKFLOW_TASKS_FAILED
from ..worker import ACTIVITIES_FAILED, ACTIVITY_DURATIONS, SLOTS_FREE, TASK_WAITS
from .metric_names import MetricNames

SERVERS, WORKERS = "temporal-server", "temporal-worker"
USERS = 'namespace!="temporal_system",taskqueue!~"temporal_sys_.*"'
# Errors of the server itself; the others answer an invalid or late request.
SERVER_ERRORS = "serviceerror_(Unavailable|Internal|DeadlineExceeded|ResourceExhausted|DataLoss|Unimplemented)"
# Answers of a healthy database: a record is new, gone, or was changed by somebody else.
EXPECTED = ".*(NotFound|ConditionFailed|AlreadyExist).*"


@dataclass(frozen=True)
class AlertRule:
    """An alerting rule: it fires when `expression` has been true for `lasting`."""

    name: str
    expression: str
    lasting: str
    severity: str
    summary: str
    description: str


def server_alerts(names: MetricNames) -> Sequence[AlertRule]:
    """Rules for the metrics of a server."""
    requests, errors = names.counter(REQUESTS), names.counter(ERRORS)
    stored, store_errors = (names.counter(item) for item in STORES["database"][:2])
    unpolled, age, failed = names.counter(UNPOLLED), names.gauge(BACKLOG_AGE), names.counter(WORKFLOW_TASKS_FAILED)
    frontend = 'service_name="frontend"'
    queue = "namespace, taskqueue, task_type"
    return (
        AlertRule(
            "TemporalServerDown",
            f'up{{job="{SERVERS}"}} == 0',
            "1m",
            "critical",
            "The Temporal server {{ $labels.instance }} does not answer",
            "No workflow makes progress until it is back. What it has acknowledged is stored.",
        ),
        AlertRule(
            "TemporalTaskQueueWithoutWorker",
            _increased(f"{unpolled}{{{USERS}}}", queue),
            "1m",
            "critical",
            "No worker polls the task queue {{ $labels.taskqueue }} ({{ $labels.task_type }})",
            "Its tasks wait. Start a worker for it in the namespace {{ $labels.namespace }}.",
        ),
        AlertRule(
            "TemporalBacklogOld",
            f"max by ({queue}) ({age}{{{USERS}}}) > 60",
            "5m",
            "warning",
            "Tasks of {{ $labels.taskqueue }} ({{ $labels.task_type }}) wait longer than a minute",
            "Its workers are too slow. Start more workers, or give them more task slots.",
        ),
        AlertRule(
            "TemporalWorkflowTasksFail",
            _increased(failed, "namespace, failure"),
            "1m",
            "warning",
            "Workflow tasks in {{ $labels.namespace }} fail ({{ $labels.failure }})",
            "Workflow code raises an error or does not match its history. The server retries such a task forever.",
        ),
        AlertRule(
            "TemporalRequestsFail",
            f'sum(rate({errors}{{{frontend},error_type=~"{SERVER_ERRORS}"}}[5m]))'
            f" / sum(rate({requests}{{{frontend}}}[5m])) > 0.01",
            "5m",
            "critical",
            "More than 1 % of all requests fail with an error of the server",
            "Check the log of the server, and its database.",
        ),
        AlertRule(
            "TemporalStorageFails",
            f'sum by (operation) (rate({store_errors}{{error_type!~"{EXPECTED}"}}[5m]))'
            f" / sum by (operation) (rate({stored}[5m])) > 0.01",
            "5m",
            "critical",
            "More than 1 % of the {{ $labels.operation }} calls to the database fail",
            "Check the database, and the log of the server.",
        ),
    )


def worker_alerts(names: MetricNames) -> Sequence[AlertRule]:
    """Rules for the metrics of a worker's SDK."""
    free, (waits, scale) = names.gauge(SLOTS_FREE), names.histogram(TASK_WAITS)
    ran, failed = names.histogram(ACTIVITY_DURATIONS)[0], names.counter(ACTIVITIES_FAILED)
    of_activity = "namespace, task_queue, activity_type"
    return (
        AlertRule(
            "TemporalWorkerDown",
            f'up{{job="{WORKERS}"}} == 0',
            "1m",
            "critical",
            "The worker {{ $labels.instance }} does not answer",
            "Its process has ended, or no longer serves metrics.",
        ),
        AlertRule(
            "TemporalWorkerFull",
            f"min by (instance, namespace, task_queue, worker_type) ({free}) == 0",
            "5m",
            "warning",
            "{{ $labels.worker_type }} of {{ $labels.instance }} has no free slot",
            "It takes no tasks of {{ $labels.task_queue }} until one ends. Check whether its activities end.",
        ),
        AlertRule(
            "TemporalWorkersLate",
            f"histogram_quantile(0.95, sum by (le, namespace, task_queue) (rate({waits}_bucket[5m]))) > {5 / scale:g}",
            "5m",
            "warning",
            "Workflow tasks of {{ $labels.task_queue }} wait longer than 5 s",
            "There are too few workers, or they are too busy.",
        ),
        AlertRule(
            "TemporalActivitiesFail",
            f"sum by ({of_activity}) (rate({failed}[10m])) / sum by ({of_activity}) (rate({ran}_count[10m])) > 0.5",
            "10m",
            "warning",
            "Most attempts of {{ $labels.activity_type }} fail",
            "Check the service that it calls. Failed attempts are retried by its retry policy.",
        ),
    )


def _increased(counter: str, by: str) -> str:
    """A counter increased in the last five minutes.

    A new series has no increase yet. It counts as a whole if its server was scraped before: otherwise Prometheus may
    just see the server for the first time.
    """
    new = f'({counter} unless {counter} offset 5m) and on (instance) up{{job="{SERVERS}"}} offset 5m'
    return f"sum by ({by}) (increase({counter}[5m])) > 0 or sum by ({by}) ({new}) > 0"
