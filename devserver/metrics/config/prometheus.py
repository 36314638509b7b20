"""Configuration for Prometheus: scrape targets and alerting rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ..endpoints import PATH, MetricsEndpoint
from .alerts import SERVERS, WORKERS, AlertRule, server_alerts, worker_alerts
from .files import yaml_text
from .metric_names import MetricNames
from .model import MonitoringConfig, ScrapeSource

HEADER = "written by devserver observe prometheus"
EVERY = "5s"
FILE, RULES_FILE = "prometheus.yml", "temporal-rules.yml"


def prometheus_config(
    servers: Sequence[ScrapeSource], workers: Sequence[ScrapeSource], *, with_rules: bool = True
) -> MonitoringConfig:
    """`prometheus.yml`, and `with_rules` a file with alerting rules that it refers to."""
    jobs = [_job(name, sources) for name, sources in ((SERVERS, servers), (WORKERS, workers)) if sources]
    config: dict[str, Any] = {"global": {"scrape_interval": EVERY, "evaluation_interval": EVERY}}
    if not with_rules:
        return MonitoringConfig({FILE: yaml_text({**config, "scrape_configs": jobs}, HEADER)})
    config["rule_files"] = [RULES_FILE]
    server_names, worker_names = (MetricNames(source.spellings for source in sources) for sources in (servers, workers))
    groups = [_group(SERVERS, server_alerts(server_names))]
    if workers:
        groups.append(_group(WORKERS, worker_alerts(worker_names)))
    files = {
        FILE: yaml_text({**config, "scrape_configs": jobs}, HEADER),
        RULES_FILE: yaml_text({"groups": groups}, HEADER),
    }
    needs = (*server_names.used, *worker_names.used)
    notes = [
        f"endpoints spell {metric} differently: the rules use the spelling of the first one"
        for metric in (*server_names.differing, *worker_names.differing)
        if metric in {use.metric for use in needs}
    ]
    return MonitoringConfig(files, needs, notes=tuple(notes))


def _job(name: str, sources: Sequence[ScrapeSource]) -> dict[str, Any]:
    return {"job_name": name, "static_configs": [_target(source.endpoint) for source in sources]}


def _target(endpoint: MetricsEndpoint) -> dict[str, Any]:
    """A target. Prometheus takes an unusual scheme, path or query from labels, and drops these."""
    parts = urlsplit(endpoint.url)
    labels = {} if parts.scheme == "http" else {"__scheme__": parts.scheme}
    if parts.path != PATH:
        labels["__metrics_path__"] = parts.path
    labels |= {f"__param_{key}": value for key, value in parse_qsl(parts.query)}
    return {"targets": [endpoint.host_port], **({"labels": labels} if labels else {})}


def _group(name: str, alerts: Sequence[AlertRule]) -> dict[str, Any]:
    return {"name": name, "rules": [_rule(alert) for alert in alerts]}


def _rule(alert: AlertRule) -> dict[str, Any]:
    return {
        "alert": alert.name,
        "expr": alert.expression,
        "for": alert.lasting,
        "labels": {"severity": alert.severity},
        "annotations": {"summary": alert.summary, "description": alert.description},
    }
