"""Configuration for the Datadog Agent: its `temporal` integration for servers, its OpenMetrics check for workers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from ..endpoints import MetricsEndpoint
from .files import yaml_text
from .model import DatadogCoverage, MonitoringConfig, ScrapeSource

MADE = "made by devserver observe datadog"
NAMES_FILE = Path(__file__).with_name("datadog_names.txt")
SERVERS_FILE, WORKERS_FILE = "temporal.d/conf.yaml", "openmetrics.d/conf.yaml"
SDK_PREFIX = "temporal_"
SDK_NAMESPACE = "temporal.sdk"

# Metrics of a server of today that the integration does not send on by itself, and how it would call them.
MORE = {
    "activity_success": "activity.success",
    "activity_fail": "activity.fail",
    "activity_cancel": "activity.cancel",
    "activity_timeout": "activity.timeout",
    "activity_task_fail": "activity.task.fail",
    "activity_task_timeout": "activity.task.timeout",
    "activity_start_to_close_latency": "activity.start_to_close_latency",
    "activity_schedule_to_close_latency": "activity.schedule_to_close_latency",
    "workflow_schedule_to_close_latency": "workflow.schedule_to_close_latency",
    "workflow_tasks_completed": "workflow.tasks_completed",
    "tasks_added": "tasks_added",
    "pending_polls": "pending_polls",
}

# Names that begin so belong to parts that a dev server does not run.
ELSEWHERE = (
    *("archiv", "history_archiver_", "visibility_archiver_", "elasticsearch_", "cassandra_", "replicat", "verify_"),
    *("generate_replication_", "encounter_", "namespace_replication_", "namespace_dlq_", "get_replication_"),
    *("get_dlq_replication_", "empty_replication_", "duplicate_replication_", "stale_replication_", "catchup_"),
    *("handover_", "buffer_replication_", "unbuffer_replication_", "certificates_", "shardinfo_replication_"),
)


def known() -> frozenset[str]:
    """The metrics that the integration sends on."""
    lines = NAMES_FILE.read_text(encoding="ascii").splitlines()
    return frozenset(line for line in lines if not line.startswith("#"))


def datadog_config(servers: Sequence[ScrapeSource], workers: Sequence[ScrapeSource]) -> MonitoringConfig:
    """The folders `temporal.d` and, for workers, `openmetrics.d` of the Agent's `conf.d`."""
    files = {SERVERS_FILE: _of_servers([each.endpoint for each in servers])}
    if workers:
        files[WORKERS_FILE] = _of_workers([each.endpoint for each in workers])
    return MonitoringConfig(files, coverage=tuple(_coverage(each) for each in servers))


def _coverage(server: ScrapeSource) -> DatadogCoverage:
    # The Agent takes `_total` off a counter's name as we do, and a duration's unit it does not.
    here = {name if each.suffix in ("", "_total") else each.name for name, each in server.spellings.items()}
    sent = known()
    elsewhere = {name for name in sent - here if name.startswith(ELSEWHERE)}
    return DatadogCoverage(
        url=server.endpoint.url,
        exposed=_ordered(sent & here),
        added=_ordered(here & MORE.keys() - sent),
        elsewhere=_ordered(elsewhere),
        not_yet=_ordered(sent - here - elsewhere),
        unknown=_ordered(here - sent - MORE.keys()),
    )


def _of_servers(servers: Sequence[MetricsEndpoint]) -> str:
    """An instance for each server."""
    more = {name: sent for name, sent in MORE.items() if name not in known()}
    instances = [{"openmetrics_endpoint": each.url, "extra_metrics": [more]} for each in servers]
    return yaml_text({"init_config": {}, "instances": instances}, MADE, f"conf.d/{SERVERS_FILE} of the Agent")


def _of_workers(workers: Sequence[MetricsEndpoint]) -> str:
    """An instance for each worker; all that its SDK tells is sent on as `temporal.sdk.…`."""
    instances = [
        {
            "openmetrics_endpoint": each.url,
            "namespace": SDK_NAMESPACE,
            "raw_metric_prefix": SDK_PREFIX,
            "metrics": [".+"],
        }
        for each in workers
    ]
    return yaml_text({"init_config": {}, "instances": instances}, MADE, f"conf.d/{WORKERS_FILE} of the Agent")


def _ordered(names: Collection[str]) -> tuple[str, ...]:
    return tuple(sorted(names))
