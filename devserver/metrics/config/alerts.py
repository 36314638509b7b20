"""What is worth an alert on a server and on its workers, in PromQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..server import BACKLOG_AGE, ERRORS, REQUESTS, STORES, UNPOLLED, WORKFLOW_TASKS_FAILED
from ..worker import ACTIVITIES_FAILED, ACTIVITY_DURATIONS, SLOTS_FREE, TASK_WAITS
from .metric_names import MetricNames

SERVERS, WORKERS = "temporal-server", "temporal-worker"
USERS = 'namespace!="temporal_system",taskqueue!~"temporal_sys_.*"'
# What the server means by an error of its own; the others answer a wrong or a late question.
FAULTS = "serviceerror_(Unavailable|Internal|DeadlineExceeded|ResourceExhausted|DataLoss|Unimplemented)"
# What storage answers when all is well: something is new, gone, or was changed by another.
EXPECTED = ".*(NotFound|ConditionFailed|AlreadyExist).*"


@dataclass(frozen=True)
class AlertRule:
    """An alert: it fires when `expression` has held for `lasting`."""

    name: str
    expression: str
    lasting: str
    severity: str
    summary: str
    description: str


def server_alerts(names: MetricNames) -> Sequence[AlertRule]:
    """For what a server tells."""
    requests, errors = names.counter(REQUESTS), names.counter(ERRORS)
    stored, store_errors = (names.counter(each) for each in STORES["database"][:2])
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
            "Nothing goes on until it is back; what it has acknowledged is kept.",
        ),
        AlertRule(
            "TemporalTaskQueueWithoutWorker",
            _happened(f"{unpolled}{{{USERS}}}", queue),
            "1m",
            "critical",
            "Nobody polls the task queue {{ $labels.taskqueue }} ({{ $labels.task_type }})",
            "Tasks come to it and wait; start a worker for it, in the namespace {{ $labels.namespace }}.",
        ),
        AlertRule(
            "TemporalBacklogOld",
            f"max by ({queue}) ({age}{{{USERS}}}) > 60",
            "5m",
            "warning",
            "Tasks of {{ $labels.taskqueue }} ({{ $labels.task_type }}) wait for longer than a minute",
            "Its workers do not keep up: they need more slots, or there must be more of them.",
        ),
        AlertRule(
            "TemporalWorkflowTasksFail",
            _happened(failed, "namespace, failure"),
            "1m",
            "warning",
            "Workflow tasks in {{ $labels.namespace }} fail ({{ $labels.failure }})",
            "The code of a workflow raises or does not fit its history; such a task is retried for ever.",
        ),
        AlertRule(
            "TemporalRequestsFail",
            f'sum(rate({errors}{{{frontend},error_type=~"{FAULTS}"}}[5m]))'
            f" / sum(rate({requests}{{{frontend}}}[5m])) > 0.01",
            "5m",
            "critical",
            "More than 1 % of all requests fail by the server's fault",
            "See its log, and its storage.",
        ),
        AlertRule(
            "TemporalStorageFails",
            f'sum by (operation) (rate({store_errors}{{error_type!~"{EXPECTED}"}}[5m]))'
            f" / sum by (operation) (rate({stored}[5m])) > 0.01",
            "5m",
            "critical",
            "More than 1 % of {{ $labels.operation }} fail in the database",
            "See the database, and the server's log.",
        ),
    )


def worker_alerts(names: MetricNames) -> Sequence[AlertRule]:
    """For what the SDK in a worker tells."""
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
            "Its process is gone, or no longer serves its metrics.",
        ),
        AlertRule(
            "TemporalWorkerFull",
            f"min by (instance, namespace, task_queue, worker_type) ({free}) == 0",
            "5m",
            "warning",
            "{{ $labels.worker_type }} of {{ $labels.instance }} has no free slot",
            "It takes no more tasks of {{ $labels.task_queue }} until one ends; do its activities end?",
        ),
        AlertRule(
            "TemporalWorkersLate",
            f"histogram_quantile(0.95, sum by (le, namespace, task_queue) (rate({waits}_bucket[5m]))) > {5 / scale:g}",
            "5m",
            "warning",
            "Workflow tasks of {{ $labels.task_queue }} wait for longer than 5 s",
            "There are too few workers, or they are too busy.",
        ),
        AlertRule(
            "TemporalActivitiesFail",
            f"sum by ({of_activity}) (rate({failed}[10m])) / sum by ({of_activity}) (rate({ran}_count[10m])) > 0.5",
            "10m",
            "warning",
            "Most attempts of {{ $labels.activity_type }} fail",
            "See what it calls; it is retried as its policy says.",
        ),
    )


def _happened(counter: str, by: str) -> str:
    """It was counted in the last five minutes. A series that begins with its first event has no increase yet: it counts
    as a whole if its server was scraped before, which tells it from one that Prometheus sees for the first time.
    """
    began = f'({counter} unless {counter} offset 5m) and on (instance) up{{job="{SERVERS}"}} offset 5m'
    return f"sum by ({by}) (increase({counter}[5m])) > 0 or sum by ({by}) ({began}) > 0"
