"""Configuration for Prometheus and the Datadog Agent, in the spelling of the endpoints that they will scrape."""

from __future__ import annotations

from .datadog import datadog_config
from .files import ConfigExists, write_files
from .metric_names import MetricUse
from .model import DatadogCoverage, MonitoringConfig, ScrapeSource
from .prometheus import prometheus_config

__all__ = [
    "ConfigExists",
    "DatadogCoverage",
    "MetricUse",
    "MonitoringConfig",
    "ScrapeSource",
    "datadog_config",
    "prometheus_config",
    "write_files",
]
