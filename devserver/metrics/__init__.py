"""What a server and its workers measure of themselves: fetched, brought into one form, and told as main figures."""

from __future__ import annotations

from .endpoints import Endpoint, endpoint, of_instance
from .families import Metrics, NotMetrics, Spelling, read, spellings
from .fetch import fetch
from .figures import Count, Operation, Server, Slots, TaskQueue, Worker, WorkerQueue
from .latency import Latency, Quantile
from .rates import Change, change
from .server import server
from .watcher import Report, Seen, Watcher
from .worker import worker

__all__ = [
    "Change",
    "Count",
    "Endpoint",
    "Latency",
    "Metrics",
    "NotMetrics",
    "Operation",
    "Quantile",
    "Report",
    "Seen",
    "Server",
    "Slots",
    "Spelling",
    "TaskQueue",
    "Watcher",
    "Worker",
    "WorkerQueue",
    "change",
    "endpoint",
    "fetch",
    "of_instance",
    "read",
    "server",
    "spellings",
    "worker",
]
