"""Metrics of servers and workers: scraped, parsed into one form, and summed up as their main metrics."""

from __future__ import annotations

from .endpoints import MetricsEndpoint, fetch_metrics, instance_endpoint, parse_endpoint
from .latency import Latency, Quantile
from .model import (
    EventCount,
    OperationMetrics,
    ServerMetrics,
    TaskQueueMetrics,
    TaskSlots,
    WorkerMetrics,
    WorkerQueueMetrics,
)
from .parser import MetricSpelling, NotMetrics, ParsedMetrics, parse_metrics, parse_spellings
from .scraper import MetricsReport, MetricsSample, Scraper
from .server import server_metrics
from .snapshot import RateChange, change_between
from .worker import worker_metrics

__all__ = [
    "EventCount",
    "Latency",
    "MetricSpelling",
    "MetricsEndpoint",
    "MetricsReport",
    "MetricsSample",
    "NotMetrics",
    "OperationMetrics",
    "ParsedMetrics",
    "Quantile",
    "RateChange",
    "Scraper",
    "ServerMetrics",
    "TaskQueueMetrics",
    "TaskSlots",
    "WorkerMetrics",
    "WorkerQueueMetrics",
    "change_between",
    "fetch_metrics",
    "instance_endpoint",
    "parse_endpoint",
    "parse_metrics",
    "parse_spellings",
    "server_metrics",
    "worker_metrics",
]
