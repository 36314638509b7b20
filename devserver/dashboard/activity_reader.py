"""What servers say of their work: throughput, workers, builds, and what is blocked. Asked rarely, for open pages."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from ..errors import DevServerError
from .server_reader import ServerView

if TYPE_CHECKING:
    from temporalio.client import Client

    from ..deployments import DeploymentStatus
    from ..metrics import Scraper, ServerMetrics
    from ..stuck import Finding

METRICS_SECONDS = 5.0
ASK_SECONDS = 15.0
SHARE = 20  # a server is asked again only after this many times of what the last time took
MOST_NAMESPACES = 5
MOST_WORKFLOWS = 200  # examined for blocked ones
MOST_SHOWN = 20
MOST_QUEUES = 20
RECENT = 100  # workflows
MOST_POINTS = 60
ENDED = ("completed", "failed", "timed_out", "canceled", "terminated", "continued_as_new")
BAD = ("failed", "timed_out")


@dataclass(frozen=True)
class PollingWorker:
    """A worker that polls."""

    identity: str
    queues: Sequence[str]
    build: str | None


@dataclass(frozen=True)
class Blocked:
    """A blocked workflow, and its namespace."""

    namespace: str
    finding: Finding


@dataclass(frozen=True)
class ServerActivity:
    """The work of one server.

    Attributes:
        metrics: Its metrics; None while unknown.
        throughput: Workflows that ended, and those that failed, per second: the last minutes.
        workers: The workers that poll.
        deployments: Its deployments, with the namespace of each.
        blocked: What is blocked; None while unknown.
        more_blocked: How many more are blocked than shown.
        open: Open workflows; None while unknown.
        problem: Why it could not be asked.
    """

    metrics: ServerMetrics | None = None
    throughput: Sequence[tuple[float, float]] = ()
    workers: Sequence[PollingWorker] = ()
    deployments: Sequence[tuple[str, DeploymentStatus]] = ()
    blocked: Sequence[Blocked] | None = None
    more_blocked: int = 0
    open: int | None = None
    problem: str | None = None


@dataclass
class _Asked:
    """What is remembered of one server between two looks; `address` tells one start from another."""

    address: str
    scraper: Scraper
    activity: ServerActivity = field(default_factory=ServerActivity)
    points: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=MOST_POINTS))
    clients: dict[str, Client] = field(default_factory=dict)
    measured: float = float("-inf")
    next_ask: float = float("-inf")


class ActivityReader:
    """Asks servers. Used from one event loop."""

    def __init__(self) -> None:
        self._servers: dict[str, _Asked] = {}

    async def look(self, servers: Iterable[ServerView]) -> dict[str, ServerActivity]:
        """The activity of each server that is ready; those whose time has not come are as they were."""
        ready = {view.name: view for view in servers if view.ready}
        self._servers = {name: asked for name, asked in self._servers.items() if name in ready}
        looks = []
        for name, view in ready.items():
            asked = self._servers.get(name)
            if asked is None or asked.address != view.status["address"]:
                asked = self._servers[name] = _Asked(view.status["address"], _scraper(view))
            looks.append(self._look(asked, view))
        await asyncio.gather(*looks)  # one that does not answer delays no other
        return {name: asked.activity for name, asked in self._servers.items()}

    async def _look(self, asked: _Asked, view: ServerView) -> None:
        now = time.monotonic()
        if now - asked.measured >= METRICS_SECONDS:
            asked.measured = now
            await _measure(asked)
        if now >= asked.next_ask:
            began = time.process_time()
            try:
                asked.activity = await _ask(asked, view.status)
            except DevServerError as error:
                asked.activity = replace(asked.activity, problem=error.message)
            asked.next_ask = time.monotonic() + max(ASK_SECONDS, SHARE * (time.process_time() - began))


def _scraper(view: ServerView) -> Scraper:
    from ..metrics import MetricsEndpoint, Scraper

    found = view.status
    return Scraper([lambda: MetricsEndpoint(found["metrics_url"], found["address"], found["pid"])])


async def _measure(asked: _Asked) -> None:
    from ..metrics import ServerMetrics

    try:
        (sample,) = (await asked.scraper.scrape()).samples
    except DevServerError as error:
        asked.activity = replace(asked.activity, problem=error.message)
        return
    if not isinstance(sample.figures, ServerMetrics):
        return
    workflows = sample.figures.workflows
    if sample.seconds is not None:
        rates = {end: workflows[end].per_second or 0.0 for end in ENDED}
        asked.points.append((sum(rates.values()), sum(rates[end] for end in BAD)))
    asked.activity = replace(asked.activity, metrics=sample.figures, throughput=tuple(asked.points), problem=None)


async def _ask(asked: _Asked, status: dict[str, Any]) -> ServerActivity:
    from ..client.calls import ServiceCalls
    from ..deployments import deployment_statuses
    from ..stuck import find_stuck

    blocked: list[Blocked] = []
    deployments: list[tuple[str, DeploymentStatus]] = []
    workers: list[PollingWorker] = []
    opened = 0
    for namespace in status["namespaces"][:MOST_NAMESPACES]:
        client = await _client(asked, namespace)
        report = await find_stuck(client, limit=MOST_WORKFLOWS, max_concurrent=4)
        opened += report.open
        blocked += [Blocked(namespace, finding) for finding in report.findings]
        deployments += [(namespace, found) for found in await deployment_statuses(client)]
        workers += await _workers(ServiceCalls(client, max_concurrent=4), asked.activity, namespace)
    return replace(
        asked.activity,
        workers=workers,
        deployments=deployments,
        blocked=blocked[:MOST_SHOWN],
        more_blocked=max(0, len(blocked) - MOST_SHOWN),
        open=opened,
        problem=None,
    )


async def _client(asked: _Asked, namespace: str) -> Client:
    from ..client.target import Target, connect

    if namespace not in asked.clients:
        asked.clients[namespace] = await connect(Target(asked.address, namespace))
    return asked.clients[namespace]


async def _workers(calls: Any, activity: ServerActivity, namespace: str) -> list[PollingWorker]:
    """The workers that poll the task queues of a namespace, as the server remembers them.

    Metrics say which queues are polled, but not by their real names: those of recent workflows are tried.
    """
    from temporalio.api.enums.v1 import TaskQueueType

    from ..client.calls import still_polls
    from ..metrics.server import label_value

    kinds = {
        "workflow": TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        "activity": TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
        "nexus": TaskQueueType.TASK_QUEUE_TYPE_NEXUS,
    }
    polled = {
        (queue.name, queue.type)
        for queue in (activity.metrics.task_queues if activity.metrics else ())
        if queue.namespace == label_value(namespace) and queue.pollers
    }
    names = {name for name, _ in polled} | {info.task_queue async for info in calls.list_workflows(limit=RECENT)}
    queues = [(name, kind) for name in sorted(names) for kind in kinds if (label_value(name), kind) in polled][
        :MOST_QUEUES
    ]
    now = datetime.now(timezone.utc)
    found: dict[tuple[str, str | None], list[str]] = {}
    answers = await asyncio.gather(*(calls.pollers(name, kinds[kind]) for name, kind in queues))
    for (name, _), pollers in zip(queues, answers, strict=True):
        for poller in pollers:
            if still_polls(poller, now):
                build = poller.deployment_options.build_id or poller.worker_version_capabilities.build_id or None
                served = found.setdefault((poller.identity, build), [])
                if name not in served:
                    served.append(name)
    return [PollingWorker(identity, served, build) for (identity, build), served in sorted(found.items(), key=str)]
