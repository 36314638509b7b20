"""Configuration for Prometheus: what to scrape, and what is worth an alert."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ..endpoints import PATH, MetricsEndpoint
from .alerts import SERVERS, WORKERS, AlertRule, server_alerts, worker_alerts
from .files import yaml_text
from .metric_names import MetricNames
from .model import MonitoringConfig, ScrapeSource

MADE = "made by devserver observe prometheus"
EVERY = "5s"
FILE, RULES_FILE = "prometheus.yml", "temporal-rules.yml"


def prometheus_config(
    servers: Sequence[ScrapeSource], workers: Sequence[ScrapeSource], *, with_rules: bool = True
) -> MonitoringConfig:
    """`prometheus.yml`, and `with_rules` a file of alerts beside it, which it reads."""
    jobs = [_job(name, sources) for name, sources in ((SERVERS, servers), (WORKERS, workers)) if sources]
    config: dict[str, Any] = {"global": {"scrape_interval": EVERY, "evaluation_interval": EVERY}}
    if not with_rules:
        return MonitoringConfig({FILE: yaml_text({**config, "scrape_configs": jobs}, MADE)})
    config["rule_files"] = [RULES_FILE]
    of_servers, of_workers = (MetricNames(each.spellings for each in sources) for sources in (servers, workers))
    groups = [_group(SERVERS, server_alerts(of_servers))]
    if workers:
        groups.append(_group(WORKERS, worker_alerts(of_workers)))
    files = {
        FILE: yaml_text({**config, "scrape_configs": jobs}, MADE),
        RULES_FILE: yaml_text({"groups": groups}, MADE),
    }
    needs = (*of_servers.used, *of_workers.used)
    notes = [
        f"endpoints spell {metric} in several ways: the rules see the first one's only"
        for metric in (*of_servers.differing, *of_workers.differing)
        if metric in {each.metric for each in needs}
    ]
    return MonitoringConfig(files, needs, notes=tuple(notes))


def _job(name: str, sources: Sequence[ScrapeSource]) -> dict[str, Any]:
    return {"job_name": name, "static_configs": [_target(each.endpoint) for each in sources]}


def _target(endpoint: MetricsEndpoint) -> dict[str, Any]:
    """A target; what is out of the ordinary in its address goes into labels that Prometheus reads and drops."""
    parts = urlsplit(endpoint.url)
    labels = {} if parts.scheme == "http" else {"__scheme__": parts.scheme}
    if parts.path != PATH:
        labels["__metrics_path__"] = parts.path
    labels |= {f"__param_{key}": value for key, value in parse_qsl(parts.query)}
    return {"targets": [endpoint.host_port], **({"labels": labels} if labels else {})}


def _group(name: str, alerts: Sequence[AlertRule]) -> dict[str, Any]:
    return {"name": name, "rules": [_rule(each) for each in alerts]}


def _rule(alert: AlertRule) -> dict[str, Any]:
    return {
        "alert": alert.name,
        "expr": alert.expression,
        "for": alert.lasting,
        "labels": {"severity": alert.severity},
        "annotations": {"summary": alert.summary, "description": alert.description},
    }
