"""Records of monitoring configuration, and of the endpoints that it is made for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..endpoints import MetricsEndpoint
from ..parser import MetricSpelling
from .metric_names import MetricUse


@dataclass(frozen=True)
class ScrapeSource:
    """An endpoint to scrape, and the spellings of the metrics that it has now."""

    endpoint: MetricsEndpoint
    spellings: Mapping[str, MetricSpelling]


@dataclass(frozen=True)
class DatadogCoverage:
    """The metrics of a server that the Datadog Agent's integration collects.

    Args:
        url: The server's endpoint.
        exposed: Metrics that it collects by default, and the server has now.
        added: Metrics that the server has now, and the configuration adds.
        elsewhere: Metrics that it collects, of services that a dev server does not run.
        not_yet: The other metrics that it collects. Most appear with their first event (a failure, a timeout), some
            only in other versions of the server.
        unknown: Metrics that the server has now, and the integration does not collect.
    """

    url: str
    exposed: tuple[str, ...]
    added: tuple[str, ...]
    elsewhere: tuple[str, ...]
    not_yet: tuple[str, ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True)
class MonitoringConfig:
    """The files of a configuration.

    Args:
        files: The text of each file by its path below a folder, the main file first.
        needs: The metrics that its rules use.
        coverage: For Datadog, the metrics that are collected from each server.
        notes: Problems of the endpoints, one sentence each.
    """

    files: Mapping[str, str]
    needs: tuple[MetricUse, ...] = ()
    coverage: tuple[DatadogCoverage, ...] = ()
    notes: tuple[str, ...] = ()
