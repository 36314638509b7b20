"""Looks at the endpoints of a server and of workers, again and again, and keeps what it takes to tell rates."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Literal

from ..errors import CannotAsk, DevServerError
from .endpoints import MetricsEndpoint, fetch_metrics
from .model import ServerMetrics, WorkerMetrics
from .parser import NotMetrics, ParsedMetrics, parse_metrics
from .server import BUILD, REQUESTS, server_metrics
from .server import WANTED as OF_SERVERS
from .snapshot import RateChange, change_between
from .worker import WANTED as OF_WORKERS
from .worker import worker_metrics

Kind = Literal["server", "worker"]
FindEndpoint = Callable[[], MetricsEndpoint]

SHORTEST = 1e-3  # seconds between two looks, so that a rate is a number
_WANTED = {"server": OF_SERVERS, "worker": OF_WORKERS | {BUILD, REQUESTS}}
HINTS = {"server": "workers are asked with --worker", "worker": "servers are asked with --server"}


@dataclass(frozen=True)
class MetricsSample:
    """What one endpoint had to say: figures, or why there are none.

    Args:
        seconds: Since the look before, which rates and latencies are of; None at the first.
        restarted: Its process was started anew in between: rates are of what it has counted since.
    """

    kind: Kind
    endpoint: MetricsEndpoint | None
    figures: ServerMetrics | WorkerMetrics | None
    error: DevServerError | None = None
    seconds: float | None = None
    restarted: bool = False


@dataclass(frozen=True)
class MetricsReport:
    """A look at all endpoints, the servers first."""

    at: datetime
    seen: tuple[MetricsSample, ...]


class Scraper:
    """Looks at endpoints; those of our own instances are found anew each time, as a restart may move them.

    Args:
        servers, workers: How each is found; that may raise what says why it is not there.
        namespace: Tell of what is done in this one only.
    """

    def __init__(
        self, servers: Sequence[FindEndpoint], workers: Sequence[FindEndpoint] = (), namespace: str | None = None
    ) -> None:
        self._all = [
            *(_Watched("server", find, namespace) for find in servers),
            *(_Watched("worker", find, namespace) for find in workers),
        ]

    async def look(self) -> MetricsReport:
        """What all of them say now.

        Raises:
            CannotAsk: None of them says anything; the first one's reason.
        """
        import asyncio

        seen = await asyncio.gather(*(each.look() for each in self._all))
        if all(each.error is not None for each in seen):
            for each in seen:
                if each.error is not None:
                    raise each.error
        return MetricsReport(datetime.now(timezone.utc), tuple(seen))


class _Watched:
    """One endpoint, and the last look at it."""

    def __init__(self, kind: Kind, find: FindEndpoint, namespace: str | None) -> None:
        self._kind = kind
        self._find = find
        self._namespace = namespace
        self._before: tuple[float, ParsedMetrics, int | None] | None = None

    async def look(self) -> MetricsSample:
        """What it says now."""
        where = None
        try:
            where = self._find()
            now = await scrape_endpoint(where, self._kind, _WANTED[self._kind])
        except CannotAsk as error:
            return MetricsSample(self._kind, where, None, error)
        changed = self._changed(now, where.pid)
        figures: ServerMetrics | WorkerMetrics
        if self._kind == "server":
            figures = replace(server_metrics(now, changed, self._namespace), resident_bytes=_resident(where.pid))
        else:
            figures = worker_metrics(now, changed, self._namespace)
        seconds, restarted = (changed.seconds, changed.restarted) if changed else (None, False)
        return MetricsSample(self._kind, where, figures, None, seconds, restarted)

    def _changed(self, now: ParsedMetrics, pid: int | None) -> RateChange | None:
        """What is new since the look before, which this one takes the place of."""
        at, before = time.monotonic(), self._before
        self._before = (at, now, pid)
        if before is None:
            return None
        return change_between(before[1], now, max(at - before[0], SHORTEST), anew=before[2] != pid)


async def scrape_endpoint(where: MetricsEndpoint, kind: Kind, wanted: Collection[str] | None = None) -> ParsedMetrics:
    """What the endpoint of such a `kind` answers; all of it, or what of it is `wanted`.

    Raises:
        CannotAsk: It does not answer, not with metrics, or is of the other kind.
    """
    try:
        now = parse_metrics(await fetch_metrics(where), wanted)
    except NotMetrics as error:
        raise CannotAsk(
            f"{where.url} does not answer with metrics", details=[error.message], hint="is this its port for metrics?"
        ) from None
    is_server = BUILD in now.spellings or REQUESTS in now.spellings
    if is_server != (kind == "server"):
        found = "a server's" if is_server else "no server's"
        raise CannotAsk(f"the metrics at {where.url} are {found}", hint=HINTS[kind])
    return now


def _resident(pid: int | None) -> int | None:
    """Memory of one of our processes, if it is still there."""
    if pid is None:
        return None
    import psutil

    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return None
