"""Metrics of real servers and workers."""

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
    """A server with a namespace whose name cannot be a label."""
    with DevServer.start(ui=False, namespaces=(NAMESPACE,)) as server:
        yield server


def at(address: str) -> MetricsEndpoint:
    """Return an endpoint by its address."""
    return parse_endpoint(address, "--worker")


def test_metrics_of_real_work(server: DevServer) -> None:
    """The metrics of a server and of two workers with different spellings count every workflow; a second scrape has
    rates.
    """

    async def scrape(one: Worked, other: Worked) -> None:
        def new_scraper() -> Scraper:
            workers = [lambda: at(one.address), lambda: at(other.address)]
            return Scraper([lambda: instance_endpoint(server.name)], workers, NAMESPACE)

        await wait_for_count(new_scraper, times=2)
        scraper = new_scraper()
        _, *of_workers = (await scraper.scrape()).samples
        for seen in of_workers:
            check_worker(seen.figures)
        await asyncio.to_thread(one.again)
        of_server, of_one, of_other = await ended(scraper, 3 * DONE)
        assert isinstance(of_server.figures, ServerMetrics)
        assert isinstance(of_one.figures, WorkerMetrics)
        assert isinstance(of_other.figures, WorkerMetrics)
        assert sum(of_server.figures.workflows[end].per_second or 0 for end in ENDS) > 0
        assert of_one.figures.queues[0].workflows["completed"].total == 2 * COMPLETED
        (queue,) = of_other.figures.queues
        assert queue.workflows["completed"] == EventCount(COMPLETED, 0.0)
        assert queue.activity_wait is None  # none since the scrape before

    with (
        measured(server.address, namespace=NAMESPACE, queue=QUEUE) as one,
        measured(server.address, namespace=NAMESPACE, queue="second", spelling=SUFFIXES) as other,
    ):
        asyncio.run(scrape(one, other))


async def wait_for_count(new_scraper: Callable[[], Scraper], times: int) -> None:
    """Wait until the server has counted everything: it counts once a second, and not everything at the same time."""
    deadline = time.monotonic() + LIMIT
    while True:
        try:
            check_server((await new_scraper().scrape()).samples[0].figures, times)
        except AssertionError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(POLL_SECONDS)
        else:
            return


async def ended(scraper: Scraper, count: int) -> tuple[MetricsSample, ...]:
    """The first scrape in which the server has counted `count` ended workflows: it counts once a second."""
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        seen = (await scraper.scrape()).samples
        figures = seen[0].figures
        if isinstance(figures, ServerMetrics) and sum(figures.workflows[end].total for end in ENDS) >= count:
            return seen
        await asyncio.sleep(POLL_SECONDS)
    raise AssertionError(f"never counted {count} ended workflows within {LIMIT:g} s")


def check_server(figures: object, times: int) -> None:
    """Check what the server counted after the work was done `times` times."""
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
    requests = {request.name: request for request in figures.requests}
    start = requests["StartWorkflowExecution"]
    assert (start.requests.total, start.errors.total) == (DONE * times, 0)
    assert start.latency is not None
    assert (start.latency.count, 0 < start.latency.mean_seconds < 30) == (DONE * times, True)
    assert requests["PollWorkflowTaskQueue"].latency is None
    queues = {(task_queue.name, task_queue.type): task_queue for task_queue in figures.task_queues}
    assert {name for name, _ in queues} == {"p_ckchen_1", "second"}
    queue = queues["second", "workflow"]
    assert queue.namespace == "my_shop_eu"
    assert queue.dispatched.total >= 2 * DONE
    assert 0 < queue.at_once.total <= queue.dispatched.total
    stored = {store.name: store for store in figures.storage}
    assert stored["database"].requests.total > 100
    assert stored["visibility"].latency is not None


def check_worker(figures: object) -> None:
    """Check what a worker counted."""
    assert isinstance(figures, WorkerMetrics)
    (queue,) = figures.queues
    assert (queue.namespace, queue.task_queue in (QUEUE, "second")) == (NAMESPACE, True)
    assert {"workflow", "activity", "local activity"} <= set(queue.slots)
    assert (queue.slots["activity"].used, queue.slots["activity"].available) == (0, 100)
    assert queue.pollers["activity task"] > 0
    assert (queue.workflows["completed"].total, queue.workflows["failed"].total) == (COMPLETED, FAILED)
    assert queue.cache_hits.total > 0
    activities = {activity.name: activity for activity in queue.activities}
    assert (activities["greet"].requests.total, activities["greet"].errors.total) == (COMPLETED, 0)
    failed = activities["fail"]
    assert (failed.requests.total, failed.errors.total) == (FAILED * ATTEMPTS, FAILED * ATTEMPTS)
    assert sum(count.total for count in failed.errors_by_type.values()) == FAILED * ATTEMPTS
    assert queue.workflow_task_wait is not None
    assert queue.workflow_task_wait.mean_seconds < 30
    requests = {request.name: request for request in figures.requests}
    assert requests["RespondActivityTaskFailed"].requests.total == FAILED * ATTEMPTS


def test_killed_server(server: DevServer) -> None:
    """A killed server has an error in place of metrics, others are still scraped; restarted, it counts from 0."""

    async def scrape(worked: Worked) -> None:
        scraper = Scraper([lambda: instance_endpoint(server.name)], [lambda: at(worked.address)])
        await scraper.scrape()
        await asyncio.to_thread(server.kill)
        away, there = (await scraper.scrape()).samples
        assert (away.figures, isinstance(away.error, CannotAsk), there.error) == (None, True, None)
        await asyncio.to_thread(server.restart)
        back, _ = (await scraper.scrape()).samples
        assert (back.restarted, back.error) == (True, None)
        assert isinstance(back.figures, ServerMetrics)
        assert back.figures.workflows["completed"] == EventCount(0, 0.0)

    with measured(server.address) as worked:
        asyncio.run(scrape(worked))


def test_wrong_endpoints(server: DevServer) -> None:
    """A server's endpoint given as a worker, another port of a server, and an unknown instance are errors."""
    of_server = instance_endpoint(server.name)
    for scraper, message in (
        (Scraper([], [lambda: of_server]), "are those of a server, not of a worker"),
        (Scraper([lambda: replace(of_server, url=server.http_url)]), "cannot read the metrics"),
        (Scraper([lambda: instance_endpoint("nix")]), "there is no instance nix"),
    ):
        with pytest.raises(CannotAsk, match=message):
            asyncio.run(scraper.scrape())
