"""Metrics as lines for a terminal, as lines of a log, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from ...system.json_form import FORM
from ...system.timefmt import age
from .table import INDENT, TableRow, block, facts, packed
from .terminal import clean, stamp, width_now, wrapped

if TYPE_CHECKING:
    from ...metrics import (
        EventCount,
        Latency,
        MetricsReport,
        MetricsSample,
        OperationMetrics,
        Quantile,
        ServerMetrics,
        TaskQueueMetrics,
        WorkerMetrics,
        WorkerQueueMetrics,
    )

ALWAYS = ("started", "completed", "failed")
MOST_SECONDS = 1e12  # beyond it a metric is no duration


def screen(report: MetricsReport, limit: int) -> Iterator[str]:
    """All metrics; of each list the first `limit` rows."""
    width = width_now()
    for number, seen in enumerate(report.samples):
        if number:
            yield ""
        yield from _source(seen, limit, width)


def line(seen: MetricsSample) -> str:
    """The main metrics in one line for a log."""
    from ...metrics import ServerMetrics

    if isinstance(seen.figures, ServerMetrics):
        said = _server_line(seen.figures)
    elif seen.figures is not None:
        said = _worker_line(seen.figures)
    else:
        said = seen.error.message if seen.error else ""
    return clean(f"{name(seen)}: {said}")


def name(seen: MetricsSample) -> str:
    """The endpoint."""
    return f"{seen.kind} {seen.endpoint.label}" if seen.endpoint else seen.kind


def as_json(report: MetricsReport) -> dict[str, Any]:
    """The documented form (docs/json.md)."""
    return {
        "form": FORM,
        "at": stamp(report.at),
        "servers": [_seen_json(seen) for seen in report.samples if seen.kind == "server"],
        "workers": [_seen_json(seen) for seen in report.samples if seen.kind == "worker"],
    }


def _seen_json(seen: MetricsSample) -> dict[str, Any]:
    return {
        "url": seen.endpoint.url if seen.endpoint else None,
        "seconds": None if seen.seconds is None else round(seen.seconds, 3),
        "restarted": seen.restarted,
        "error": seen.error.to_json() if seen.error else None,
        "figures": asdict(seen.figures) if seen.figures else None,
    }


def _source(seen: MetricsSample, limit: int, width: int) -> Iterator[str]:
    from ...metrics import ServerMetrics

    title = click.style(clean(name(seen)), bold=True)
    if seen.error is not None:
        reason = "; ".join([seen.error.message, *seen.error.details])
        yield f"{title} {click.style('has no metrics', fg='red')}"
        yield from wrapped(clean(reason), INDENT, width=width)
        if seen.error.hint:
            yield from wrapped(clean(f"hint: {seen.error.hint}"), INDENT, width=width)
        return
    yield f"{title} {click.style('was restarted: its counts start at 0', fg='yellow')}" if seen.restarted else title
    if isinstance(seen.figures, ServerMetrics):
        yield from _server(seen.figures, limit, width)
    elif seen.figures is not None:
        yield from _worker(seen.figures, limit, width)


def _server(figures: ServerMetrics, limit: int, width: int) -> Iterator[str]:
    process = [f"server {figures.version}"] if figures.version else []
    if figures.resident_bytes is not None:
        process.append(f"resident {_size(figures.resident_bytes)}")
    if figures.heap_bytes is not None:
        process.append(f"heap {_size(figures.heap_bytes)}")
    if figures.goroutines is not None:
        process.append(f"goroutines {figures.goroutines:,}")
    yield from packed(process, width, INDENT)
    yield from block("workflows", [TableRow("", _ends(figures.workflows))], limit, width)
    if any(count.total for count in figures.activities.values()):
        yield from block("activities", [TableRow("", _ends(figures.activities))], limit, width)
    several = len({queue.namespace for queue in figures.task_queues}) > 1
    yield from block("task queues", [_task_queue(queue, several) for queue in figures.task_queues], limit, width)
    yield from block("requests", [_operation(request) for request in figures.requests], limit, width)
    yield from block("storage", [_operation(item) for item in figures.storage], limit, width)


def _worker(figures: WorkerMetrics, limit: int, width: int) -> Iterator[str]:
    if not figures.queues:
        yield from wrapped("no worker has started in this process yet", INDENT, width=width)
    for queue in figures.queues:
        yield from facts(f"task queue {clean(queue.task_queue)}", _worker_queue(queue), width)
        yield from block("activities", [_operation(activity) for activity in queue.activities], limit, width)
    yield from block("requests", [_operation(request) for request in figures.requests], limit, width)


def _worker_queue(queue: WorkerQueueMetrics) -> list[TableRow]:
    slots = [
        f"{kind} {slot.used}" + ("" if slot.available is None else f" of {slot.used + slot.available}")
        for kind, slot in queue.slots.items()
    ]
    cache = [f"workflows {queue.cached}", f"hits {_count(queue.cache_hits)}", f"misses {_count(queue.cache_misses)}"]
    rows = [
        TableRow("namespace", [queue.namespace]),
        TableRow("slots in use", slots),
        TableRow("pollers", [f"{kind} {number}" for kind, number in queue.pollers.items()]),
        TableRow("sticky cache", cache),
        TableRow("workflows", _ends(queue.workflows)),
        _operation(queue.workflow_tasks),
    ]
    for waits, took in (("tasks waited", queue.workflow_task_wait), ("activities waited", queue.activity_wait)):
        if took is not None:
            rows.append(TableRow(waits, [f"{took.count:,}", *_latency(took)]))
    rows = [TableRow(row.label, [cell for cell in row.cells if cell], row.note) for row in rows]
    return [row for row in rows if row.cells]


def _task_queue(queue: TaskQueueMetrics, several: bool) -> TableRow:
    waits = f"backlog {'?' if queue.backlog is None else f'{queue.backlog:,}'}"
    if queue.backlog and queue.backlog_age_seconds:
        waits += f" for {_age(queue.backlog_age_seconds)}"
    cells = [waits, f"pollers {queue.pollers}", f"dispatched {_count(queue.dispatched)}"]
    if queue.dispatched.total:
        cells.append(f"at once {queue.at_once.total / queue.dispatched.total:.0%}")
    if queue.unpolled.total:
        cells.append(f"unpolled {_count(queue.unpolled)}")
    where = f"{queue.namespace}: " if several else ""
    return TableRow(f"{where}{queue.name} ({queue.type})", cells)


def _operation(operation: OperationMetrics) -> TableRow:
    took = ["", "", ""] if operation.latency is None else _latency(operation.latency)
    if not operation.errors.total:
        return TableRow(operation.name, [_count(operation.requests), *took])
    kinds = (f"{kind} {_count(count)}" for kind, count in operation.errors_by_type.items())
    errors = f"errors {_count(operation.errors)}"
    return TableRow(operation.name, [_count(operation.requests), *took, errors], ", ".join(kinds))


def _ends(counts: Mapping[str, EventCount]) -> list[str]:
    shown = {end: count for end, count in counts.items() if count.total or end in ALWAYS}
    return [f"{end.replace('_', ' ')} {_count(count)}" for end, count in shown.items()]


def _latency(took: Latency) -> list[str]:
    return [f"p50 {_quantile(took.p50)}", f"p95 {_quantile(took.p95)}", f"mean {_duration(took.mean_seconds)}"]


def _count(count: EventCount) -> str:
    return f"{count.total:,}" if count.per_second is None else f"{count.total:,} ({_rate(count.per_second)})"


def _rate(per_second: float) -> str:
    return "0/s" if not per_second else f"{per_second:.3g}/s" if per_second < 1000 else f"{per_second:,.0f}/s"


def _quantile(found: Quantile) -> str:
    if found.seconds is not None:
        return _duration(found.seconds)
    return f">{_duration(found.low)}" if found.high is None else f"<{_duration(found.high)}"


def _duration(seconds: float) -> str:
    if seconds >= 60:
        return _age(seconds)
    return (
        f"{seconds:.3g}s"
        if seconds >= 1
        else f"{seconds * 1000:.2g}ms"
        if seconds < 0.01
        else f"{seconds * 1000:.0f}ms"
    )


def _age(seconds: float) -> str:
    return age(timedelta(seconds=min(seconds, MOST_SECONDS)))


def _size(count: int) -> str:
    return f"{count / 1e6:,.0f} MB"


def _server_line(figures: ServerMetrics) -> str:
    errors = [request.errors.per_second for request in figures.requests]
    requests = [request.requests.per_second for request in figures.requests]
    said = [f"{end} {_count(figures.workflows[end])}" for end in ALWAYS]
    if None not in requests and None not in errors:
        said.append(f"requests {_rate(sum(rate or 0.0 for rate in requests))}")
        said.append(f"errors {_rate(sum(rate or 0.0 for rate in errors))}")
    said.append(f"backlog {sum(queue.backlog or 0 for queue in figures.task_queues):,}")
    return ", ".join(said)


def _worker_line(figures: WorkerMetrics) -> str:
    said = []
    for queue in figures.queues:
        slots = sum(slot.used for slot in queue.slots.values())
        activities = sum(activity.requests.total for activity in queue.activities)
        failed = sum(activity.errors.total for activity in queue.activities)
        said.append(
            f"task queue {queue.task_queue}: slots in use {slots}, "
            f"workflow tasks {_count(queue.workflow_tasks.requests)}, activities {activities:,}, failed {failed:,}"
        )
    return "; ".join(said) or "no worker yet"
