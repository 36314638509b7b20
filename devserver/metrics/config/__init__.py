"""Ready configuration for monitoring, in the spelling of real endpoints, and which of their metrics it needs."""

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
