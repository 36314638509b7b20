"""Scrapes the endpoints of servers and workers, and remembers the previous scrape of each for rates."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Literal

from ..errors import CannotAsk, DevServerError
from ..system.process import resident_bytes
from .endpoints import MetricsEndpoint, fetch_metrics
from .model import ServerMetrics, WorkerMetrics
from .parser import NotMetrics, ParsedMetrics, parse_metrics
from .server import BUILD, REQUESTS, SERVER_NAMES, server_metrics
from .snapshot import RateChange, change_between
from .worker import WORKER_NAMES, worker_metrics

Kind = Literal["server", "worker"]
FindEndpoint = Callable[[], MetricsEndpoint]

MIN_SECONDS = 1e-3  # between two scrapes, so that a rate is a number
NAMES: dict[Kind, Collection[str]] = {"server": SERVER_NAMES, "worker": WORKER_NAMES | {BUILD, REQUESTS}}
HINTS = {"server": "use --worker for a worker", "worker": "use --server for a server"}


@dataclass(frozen=True)
class MetricsSample:
    """The scrape of one endpoint.

    Args:
        endpoint: The endpoint; None if it was not found.
        figures: Its metrics; None if they could not be read.
        error: Why they could not be read.
        seconds: The time since the scrape before, which rates and latencies are about; None for the first.
        restarted: Whether the process was restarted since the scrape before: rates cover the time since then.
    """

    kind: Kind
    endpoint: MetricsEndpoint | None
    figures: ServerMetrics | WorkerMetrics | None
    error: DevServerError | None = None
    seconds: float | None = None
    restarted: bool = False


@dataclass(frozen=True)
class MetricsReport:
    """A scrape of all endpoints, servers first."""

    at: datetime
    samples: tuple[MetricsSample, ...]


class Scraper:
    """Scrapes endpoints again and again.

    Args:
        servers, workers: Functions that find each endpoint; called for every scrape, because a restart may move a
            devserver instance to another port. They raise `CannotAsk` if there is none.
        namespace: Report the work of this namespace only.
    """

    def __init__(
        self,
        servers: Sequence[FindEndpoint],
        workers: Sequence[FindEndpoint] = (),
        namespace: str | None = None,
    ) -> None:
        self._scrapes = [
            *(_EndpointScraper("server", find, namespace) for find in servers),
            *(_EndpointScraper("worker", find, namespace) for find in workers),
        ]

    async def scrape(self) -> MetricsReport:
        """Scrape all endpoints.

        Raises:
            CannotAsk: No endpoint answers; this is the error of the first.
        """
        import asyncio

        samples = await asyncio.gather(*(scraper.scrape() for scraper in self._scrapes))
        errors = [sample.error for sample in samples if sample.error is not None]
        if errors and len(errors) == len(samples):
            raise errors[0]
        return MetricsReport(datetime.now(timezone.utc), tuple(samples))


class _EndpointScraper:
    """One endpoint, and its last scrape."""

    def __init__(self, kind: Kind, find: FindEndpoint, namespace: str | None) -> None:
        self._kind = kind
        self._find = find
        self._namespace = namespace
        self._before: tuple[float, ParsedMetrics, int | None] | None = None

    async def scrape(self) -> MetricsSample:
        """Scrape the endpoint."""
        endpoint = None
        try:
            endpoint = self._find()
            now = await scrape_endpoint(endpoint, self._kind, NAMES[self._kind])
        except CannotAsk as error:
            return MetricsSample(self._kind, endpoint, None, error)
        change = self._change(now, endpoint.pid)
        figures: ServerMetrics | WorkerMetrics
        if self._kind == "server":
            memory = resident_bytes(endpoint.pid)
            figures = replace(server_metrics(now, change, self._namespace), resident_bytes=memory)
        else:
            figures = worker_metrics(now, change, self._namespace)
        seconds, restarted = (change.seconds, change.restarted) if change else (None, False)
        return MetricsSample(self._kind, endpoint, figures, None, seconds, restarted)

    def _change(self, now: ParsedMetrics, pid: int | None) -> RateChange | None:
        """The change since the last scrape; `now` becomes the last one."""
        at, before = time.monotonic(), self._before
        self._before = (at, now, pid)
        if before is None:
            return None
        return change_between(before[1], now, max(at - before[0], MIN_SECONDS), restarted=before[2] != pid)


async def scrape_endpoint(endpoint: MetricsEndpoint, kind: Kind, names: Collection[str] | None = None) -> ParsedMetrics:
    """The metrics of a server's or a worker's endpoint; with `names` only these.

    Raises:
        CannotAsk: The endpoint does not answer, its answer has no metrics, or it is of the other kind.
    """
    try:
        metrics = parse_metrics(await fetch_metrics(endpoint), names)
    except NotMetrics as error:
        raise CannotAsk(
            f"{endpoint.url} does not answer with metrics",
            details=[error.message],
            hint="check that this is the port for metrics",
        ) from None
    found: Kind = "server" if BUILD in metrics.spellings or REQUESTS in metrics.spellings else "worker"
    if found != kind:
        raise CannotAsk(f"the metrics at {endpoint.url} are those of a {found}, not of a {kind}", hint=HINTS[kind])
    return metrics
