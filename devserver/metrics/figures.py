"""The main figures of a server and of a worker, as records."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from .families import Labels, Metrics
from .latency import Latency, Match, latency
from .rates import Change

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True)
class Count:
    """How often something happened since the process began, and how often a second lately; None at a first look."""

    total: int
    per_second: float | None


@dataclass(frozen=True)
class Operation:
    """Calls of one kind: how many, how many failed and how, and how long they took (None: none lately, or they wait
    on purpose, as polls do).
    """

    name: str
    requests: Count
    errors: Count
    errors_by_type: Mapping[str, Count]
    latency: Latency | None
    waits: bool = False


@dataclass(frozen=True)
class TaskQueue:
    """A task queue as matching sees it, all partitions together. `type` is `workflow`, `activity` or `nexus`.

    Args:
        backlog: Tasks that wait, about; None where the server has not counted yet (it does so from time to time).
        backlog_age_seconds: How long the oldest of them waits, about.
        pollers: Polls that wait for a task now.
        dispatched: Polls that got a task, and `at_once` those of them whose task had not waited in the backlog.
        empty_polls: Polls that got none before they timed out.
        unpolled: Tasks that came while nobody polled.
    """

    namespace: str
    name: str
    type: str
    backlog: int | None
    backlog_age_seconds: float | None
    pollers: int
    dispatched: Count
    at_once: Count
    empty_polls: Count
    unpolled: Count


@dataclass(frozen=True)
class Server:
    """A server. Lists are ordered, what is most on top; the server's own workflows and task queues are left out.

    Args:
        version: As `1.32.0`, None where it does not tell.
        workflows, activities: How many runs came to which end: see docs/metrics.md.
        storage: All calls of the database, and of visibility.
        heap_bytes, goroutines: Of the Go runtime.
        resident_bytes: Of the process, None where it is not one of ours.
    """

    version: str | None
    workflows: Mapping[str, Count]
    activities: Mapping[str, Count]
    requests: tuple[Operation, ...]
    task_queues: tuple[TaskQueue, ...]
    storage: tuple[Operation, ...]
    heap_bytes: int | None
    goroutines: int | None
    resident_bytes: int | None = None


@dataclass(frozen=True)
class Slots:
    """How many tasks of a kind a worker has in hand, and how many more it would take (None: it does not say)."""

    used: int
    available: int | None


@dataclass(frozen=True)
class WorkerQueue:
    """A worker on one task queue.

    Args:
        slots: By what they are for: `workflow`, `activity`, `local activity`, `nexus`.
        pollers: Calls that wait for a task, by kind.
        cached: Workflows in the sticky cache; `cache_hits` and `cache_misses` of workflow tasks.
        workflow_tasks, activities: How long they ran, and how many failed.
        workflow_task_wait, activity_wait: From scheduled to started.
    """

    namespace: str
    task_queue: str
    slots: Mapping[str, Slots]
    pollers: Mapping[str, int]
    cached: int
    cache_hits: Count
    cache_misses: Count
    workflows: Mapping[str, Count]
    workflow_tasks: Operation
    activities: tuple[Operation, ...]
    workflow_task_wait: Latency | None
    activity_wait: Latency | None


@dataclass(frozen=True)
class Worker:
    """A worker process: each of its task queues, and its calls of the server."""

    queues: tuple[WorkerQueue, ...]
    requests: tuple[Operation, ...]


@dataclass(frozen=True)
class Look:
    """A look at an endpoint, and what has changed since the one before (None at the first)."""

    now: Metrics
    change: Change | None

    def count(self, name: str, match: Match = lambda _: True) -> Count:
        """Of a counter's series whose labels `match`."""
        total = _sum(self.now, name, match)
        if self.change is None:
            return Count(round(total), None)
        return Count(round(total), _sum(self.change.counted, name, match) / self.change.seconds)

    def by(self, name: str, label: str, match: Match = lambda _: True) -> dict[str, Count]:
        """The same for each value of a label."""
        values = {labels.get(label, "") for labels, _ in self.now.all(name) if match(labels)}
        return {value: self.count(name, _also(match, label, value)) for value in sorted(values)}

    def parted(self, key: Callable[[Mapping[str, str]], K]) -> dict[K, Look]:
        """A look for each key that series have, at those series only: an endpoint may have very many of them."""
        now = _parted(self.now, key)
        if self.change is None:
            return {each: Look(part, None) for each, part in now.items()}
        nothing = Metrics(self.now.spellings, {})
        counted = _parted(self.change.counted, key)
        return {
            each: Look(part, replace(self.change, counted=counted.get(each, nothing))) for each, part in now.items()
        }

    def latency(self, name: str, match: Match = lambda _: True) -> Latency | None:
        """Of a histogram's series whose labels `match`: of the time since the look before, or of all time."""
        return latency(self.change.counted if self.change else self.now, name, match)

    def gauge(self, name: str, match: Match = lambda _: True, take: Callable[..., float] = sum) -> int | None:
        """The sum (or what else to `take`) of a gauge's series whose labels `match`; None where there is none."""
        values = [value for labels, value in self.now.all(name) if match(labels)]
        return round(take(values)) if values else None


def _parted(metrics: Metrics, key: Callable[[Mapping[str, str]], K]) -> dict[K, Metrics]:
    found: dict[K, dict[str, dict[Labels, float]]] = {}
    for name, series in metrics.series.items():
        for labels, value in series.items():
            found.setdefault(key(dict(labels)), {}).setdefault(name, {})[labels] = value
    return {each: Metrics(metrics.spellings, series) for each, series in found.items()}


def _sum(metrics: Metrics, name: str, match: Match) -> float:
    return sum(value for labels, value in metrics.all(name) if match(labels))


def _also(match: Match, label: str, value: str) -> Match:
    return lambda labels: labels.get(label, "") == value and match(labels)


def none_like(count: Count) -> Count:
    """Nothing happened, and at no rate where `count` has none."""
    return Count(0, None if count.per_second is None else 0.0)


def busiest(operations: list[Operation]) -> tuple[Operation, ...]:
    """What is called most (lately, or ever) first; what waits on purpose last."""

    def rank(each: Operation) -> tuple[bool, float, int, str]:
        return (each.waits, -(each.requests.per_second or 0.0), -each.requests.total, each.name)

    return tuple(sorted(operations, key=rank))
