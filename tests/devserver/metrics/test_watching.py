"""Figures of real servers and workers at real work."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from devserver import DevServer
from devserver.errors import CannotAsk
from devserver.executables.models import Executable
from devserver.metrics import (
    EventCount,
    MetricsEndpoint,
    MetricsSample,
    Scraper,
    ServerMetrics,
    WorkerMetrics,
    instance_endpoint,
    parse_endpoint,
)
from tests.helpers.measured import ATTEMPTS, COMPLETED, FAILED, SUFFIXES, Worked, measured
from tests.helpers.waiting import LIMIT, POLL_SECONDS

NAMESPACE, QUEUE = "my-shop.eu", "päckchen-1"
DONE = COMPLETED + FAILED
ENDS = ("completed", "failed")


@pytest.fixture
def server(installed: Executable) -> Iterator[DevServer]:
    """A server with a namespace whose name is no Prometheus label."""
    with DevServer.start(ui=False, namespaces=(NAMESPACE,)) as server:
        yield server


def at(address: str) -> MetricsEndpoint:
    """An endpoint by its address."""
    return parse_endpoint(address, "--worker")


def test_figures_of_real_work(server: DevServer) -> None:
    """The server and two workers that spell their metrics differently tell what was done, to the last workflow; a
    second look tells how much of it was new.
    """

    async def looks(one: Worked, other: Worked) -> None:
        def watching() -> Scraper:
            workers = [lambda: at(one.address), lambda: at(other.address)]
            return Scraper([lambda: instance_endpoint(server.name)], workers, NAMESPACE)

        await counted(watching, times=2)
        watcher = watching()
        _, *of_workers = (await watcher.look()).seen
        for seen in of_workers:
            check_worker(seen.figures)
        await asyncio.to_thread(one.again)
        of_server, of_one, of_other = await ended(watcher, 3 * DONE)
        assert isinstance(of_server.figures, ServerMetrics)
        assert isinstance(of_one.figures, WorkerMetrics)
        assert isinstance(of_other.figures, WorkerMetrics)
        assert sum(of_server.figures.workflows[end].per_second or 0 for end in ENDS) > 0
        assert of_one.figures.queues[0].workflows["completed"].total == 2 * COMPLETED
        (queue,) = of_other.figures.queues
        assert queue.workflows["completed"] == EventCount(COMPLETED, 0.0)
        assert queue.activity_wait is None  # nothing of it since the look before

    with (
        measured(server.address, namespace=NAMESPACE, queue=QUEUE) as one,
        measured(server.address, namespace=NAMESPACE, queue="second", spelling=SUFFIXES) as other,
    ):
        asyncio.run(looks(one, other))


async def counted(watching: Callable[[], Scraper], times: int) -> None:
    """Wait until the server has counted all that it must: it does so once a second, and not all at the same moment."""
    deadline = time.monotonic() + LIMIT
    while True:
        try:
            check_server((await watching().look()).seen[0].figures, times)
        except AssertionError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(POLL_SECONDS)
        else:
            return


async def ended(watcher: Scraper, count: int) -> tuple[MetricsSample, ...]:
    """The first look in which the server has counted so many ended workflows: it does so once a second."""
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        seen = (await watcher.look()).seen
        figures = seen[0].figures
        if isinstance(figures, ServerMetrics) and sum(figures.workflows[end].total for end in ENDS) >= count:
            return seen
        await asyncio.sleep(POLL_SECONDS)
    raise AssertionError(f"never counted {count} ended workflows within {LIMIT:g} s")


def check_server(figures: object, times: int) -> None:
    """What the server must have counted after the work was done so often."""
    assert isinstance(figures, ServerMetrics)
    assert figures.version == "1.32.0"
    assert (figures.resident_bytes or 0) > 50e6
    assert (figures.goroutines or 0) > 100
    for counts, end, count in (
        (figures.workflows, "started", DONE),
        (figures.workflows, "completed", COMPLETED),
        (figures.workflows, "failed", FAILED),
        (figures.workflows, "tasks_failed", 0),
        (figures.activities, "completed", COMPLETED),
        (figures.activities, "failed", FAILED),
        (figures.activities, "attempts_failed", FAILED * ATTEMPTS),
    ):
        assert (end, counts[end]) == (end, EventCount(count * times, None))
    requests = {each.name: each for each in figures.requests}
    start = requests["StartWorkflowExecution"]
    assert (start.requests.total, start.errors.total) == (DONE * times, 0)
    assert start.latency is not None
    assert (start.latency.count, 0 < start.latency.mean_seconds < 30) == (DONE * times, True)
    assert requests["PollWorkflowTaskQueue"].latency is None
    queues = {(each.name, each.type): each for each in figures.task_queues}
    assert {name for name, _ in queues} == {"p_ckchen_1", "second"}
    queue = queues["second", "workflow"]
    assert queue.namespace == "my_shop_eu"
    assert queue.dispatched.total >= 2 * DONE
    assert 0 < queue.at_once.total <= queue.dispatched.total
    stored = {each.name: each for each in figures.storage}
    assert stored["database"].requests.total > 100
    assert stored["visibility"].latency is not None


def check_worker(figures: object) -> None:
    """What a worker must have counted after its work."""
    assert isinstance(figures, WorkerMetrics)
    (queue,) = figures.queues
    assert (queue.namespace, queue.task_queue in (QUEUE, "second")) == (NAMESPACE, True)
    assert {"workflow", "activity", "local activity"} <= set(queue.slots)
    assert (queue.slots["activity"].used, queue.slots["activity"].available) == (0, 100)
    assert queue.pollers["activity task"] > 0
    assert (queue.workflows["completed"].total, queue.workflows["failed"].total) == (COMPLETED, FAILED)
    assert queue.cache_hits.total > 0
    activities = {each.name: each for each in queue.activities}
    assert (activities["greet"].requests.total, activities["greet"].errors.total) == (COMPLETED, 0)
    failed = activities["fail"]
    assert (failed.requests.total, failed.errors.total) == (FAILED * ATTEMPTS, FAILED * ATTEMPTS)
    assert sum(count.total for count in failed.errors_by_type.values()) == FAILED * ATTEMPTS
    assert queue.workflow_task_wait is not None
    assert queue.workflow_task_wait.mean_seconds < 30
    requests = {each.name: each for each in figures.requests}
    assert requests["RespondActivityTaskFailed"].requests.total == FAILED * ATTEMPTS


def test_a_server_that_is_killed_and_comes_back(server: DevServer) -> None:
    """While it is away that is said in place of its figures, and others are still told; when it is back it is known
    that it counts from 0.
    """

    async def looks(worked: Worked) -> None:
        watcher = Scraper([lambda: instance_endpoint(server.name)], [lambda: at(worked.address)])
        await watcher.look()
        await asyncio.to_thread(server.kill)
        away, there = (await watcher.look()).seen
        assert (away.figures, isinstance(away.error, CannotAsk), there.error) == (None, True, None)
        await asyncio.to_thread(server.restart)
        back, _ = (await watcher.look()).seen
        assert (back.restarted, back.error) == (True, None)
        assert isinstance(back.figures, ServerMetrics)
        assert back.figures.workflows["completed"] == EventCount(0, 0.0)

    with measured(server.address) as worked:
        asyncio.run(looks(worked))


def test_who_is_asked_for_what(server: DevServer) -> None:
    """A server's endpoint is no worker's, and a server's other ports have no metrics; a look at nobody is an error."""
    of_server = instance_endpoint(server.name)
    for watcher, message in (
        (Scraper([], [lambda: of_server]), "are a server's"),
        (Scraper([lambda: replace(of_server, url=server.http_url)]), "cannot be read"),
        (Scraper([lambda: instance_endpoint("nix")]), "there is no instance nix"),
    ):
        with pytest.raises(CannotAsk, match=message):
            asyncio.run(watcher.look())
