"""What configuration is made of, and what it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..endpoints import MetricsEndpoint
from ..parser import MetricSpelling
from .metric_names import MetricUse


@dataclass(frozen=True)
class ScrapeSource:
    """An endpoint, and how it spells the metrics that it has now."""

    endpoint: MetricsEndpoint
    spellings: Mapping[str, MetricSpelling]


@dataclass(frozen=True)
class DatadogCoverage:
    """What the Datadog Agent's integration gets from a server.

    Args:
        url: The server's metrics.
        exposed: What it sends on and the server has now.
        added: What the server has now, and the configuration adds to that.
        elsewhere: What it would send on of parts that a dev server does not run.
        not_yet: What else it would send on: most of it appears when it happens for the first time (a failure, a
            timeout), some only in other versions of the server.
        unknown: What the server has now and is not sent on.
    """

    url: str
    exposed: tuple[str, ...]
    added: tuple[str, ...]
    elsewhere: tuple[str, ...]
    not_yet: tuple[str, ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True)
class MonitoringConfig:
    """Ready configuration.

    Args:
        files: The text of each file by its place in a folder, the main one first.
        needs: The metrics that it names one by one.
        coverage: For Datadog: what is sent on, of each server.
        notes: What the endpoints made difficult.
    """

    files: Mapping[str, str]
    needs: tuple[MetricUse, ...] = ()
    coverage: tuple[DatadogCoverage, ...] = ()
    notes: tuple[str, ...] = ()
