"""Configuration for the Datadog Agent: its `temporal` integration for servers, its OpenMetrics check for workers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from ..endpoints import MetricsEndpoint
from .files import yaml_text
from .model import DatadogCoverage, MonitoringConfig, ScrapeSource

HEADER = "written by devserver observe datadog"
NAMES_FILE = Path(__file__).with_name("datadog_names.txt")
SERVERS_FILE, WORKERS_FILE = "temporal.d/conf.yaml", "openmetrics.d/conf.yaml"
SDK_PREFIX = "temporal_"
SDK_NAMESPACE = "temporal.sdk"

# Metrics of a current server that the integration does not collect by default, and the names it would use.
EXTRA_METRICS = {
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

# Prefixes of metrics of services that a dev server does not run.
OTHER_SERVICES = (
    *("archiv", "history_archiver_", "visibility_archiver_", "elasticsearch_", "cassandra_", "replicat", "verify_"),
    *("generate_replication_", "encounter_", "namespace_replication_", "namespace_dlq_", "get_replication_"),
    *("get_dlq_replication_", "empty_replication_", "duplicate_replication_", "stale_replication_", "catchup_"),
    *("handover_", "buffer_replication_", "unbuffer_replication_", "certificates_", "shardinfo_replication_"),
)


def collected_metrics() -> frozenset[str]:
    """The metrics that the integration collects by default."""
    lines = NAMES_FILE.read_text(encoding="ascii").splitlines()
    return frozenset(line for line in lines if not line.startswith("#"))


def datadog_config(servers: Sequence[ScrapeSource], workers: Sequence[ScrapeSource]) -> MonitoringConfig:
    """The folders `temporal.d` and, for workers, `openmetrics.d` of the Agent's `conf.d`."""
    files = {SERVERS_FILE: _of_servers([server.endpoint for server in servers])}
    if workers:
        files[WORKERS_FILE] = _of_workers([worker.endpoint for worker in workers])
    return MonitoringConfig(files, coverage=tuple(_coverage(server) for server in servers))


def _coverage(server: ScrapeSource) -> DatadogCoverage:
    # Like devserver, the Agent drops `_total` from the name of a counter; it keeps the unit of a duration.
    available = {
        name if spelling.suffix in ("", "_total") else spelling.name for name, spelling in server.spellings.items()
    }
    collected = collected_metrics()
    elsewhere = {name for name in collected - available if name.startswith(OTHER_SERVICES)}
    return DatadogCoverage(
        url=server.endpoint.url,
        exposed=_ordered(collected & available),
        added=_ordered(available & EXTRA_METRICS.keys() - collected),
        elsewhere=_ordered(elsewhere),
        not_yet=_ordered(collected - available - elsewhere),
        unknown=_ordered(available - collected - EXTRA_METRICS.keys()),
    )


def _of_servers(servers: Sequence[MetricsEndpoint]) -> str:
    """One instance of the check for each server."""
    extra = {name: target for name, target in EXTRA_METRICS.items() if name not in collected_metrics()}
    instances = [{"openmetrics_endpoint": server.url, "extra_metrics": [extra]} for server in servers]
    return yaml_text({"init_config": {}, "instances": instances}, HEADER, f"conf.d/{SERVERS_FILE} of the Agent")


def _of_workers(workers: Sequence[MetricsEndpoint]) -> str:
    """One instance of the check for each worker: it collects all metrics of the SDK as `temporal.sdk.…`."""
    instances = [
        {
            "openmetrics_endpoint": worker.url,
            "namespace": SDK_NAMESPACE,
            "raw_metric_prefix": SDK_PREFIX,
            "metrics": [".+"],
        }
        for worker in workers
    ]
    return yaml_text({"init_config": {}, "instances": instances}, HEADER, f"conf.d/{WORKERS_FILE} of the Agent")


def _ordered(names: Collection[str]) -> tuple[str, ...]:
    return tuple(sorted(names))
