"""Parsing of endpoints with different spellings and units; changes, quantiles and addresses."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from devserver.cli.render.metrics import screen
from devserver.errors import CannotAsk, OptionError
from devserver.metrics import (
    MetricsReport,
    MetricsSample,
    NotMetrics,
    ParsedMetrics,
    change_between,
    fetch_metrics,
    parse_endpoint,
    parse_metrics,
    server_metrics,
    worker_metrics,
)
from devserver.metrics.latency import Quantile, latency, quantile

PLAIN = """\
# TYPE temporal_request counter
temporal_request{operation="Start"} 3
# TYPE temporal_request_latency histogram
temporal_request_latency_bucket{operation="Start",le="50"} 2
temporal_request_latency_bucket{operation="Start",le="100"} 3
temporal_request_latency_bucket{operation="Start",le="+Inf"} 3
temporal_request_latency_sum{operation="Start"} 90
temporal_request_latency_count{operation="Start"} 3
# TYPE temporal_num_pollers gauge
temporal_num_pollers{namespace="a",task_queue="q",poller_type="workflow_task"} 5
"""
SECONDS = PLAIN.replace('"50"', '"0.05"').replace('"100"', '"0.1"').replace('"Start"} 90', '"Start"} 0.09')
SUFFIXES = (
    SECONDS.replace("temporal_request_latency", "temporal_request_latency_seconds")
    .replace("temporal_request{", "temporal_request_total{")
    .replace("TYPE temporal_request counter", "TYPE temporal_request_total counter")
)
MILLISECONDS = PLAIN.replace("temporal_request_latency", "temporal_request_latency_milliseconds")


@pytest.mark.parametrize("text", [PLAIN, SECONDS, SUFFIXES, MILLISECONDS], ids=["plain", "s", "suffixes", "ms"])
def test_spellings_of_sdks(text: str) -> None:
    """Counters with and without `_total`, and durations in both units, named or not, give the same metrics."""
    (request,) = worker_metrics(parse_metrics(text)).requests
    assert (request.name, request.requests.total) == ("Start", 3)
    assert request.latency is not None
    assert (request.latency.count, round(request.latency.mean_seconds, 6)) == (3, 0.03)
    assert request.latency.p50.high == pytest.approx(0.05)
    p95 = request.latency.p95
    assert (p95.low, p95.high, p95.seconds) == pytest.approx((0.05, 0.1, 0.0925))


def test_only_named_metrics_are_parsed() -> None:
    """Only the named metrics are parsed."""
    metrics = parse_metrics(PLAIN, ["temporal_request"])
    assert set(metrics.spellings) == set(metrics.series) == {"temporal_request"}


@pytest.mark.parametrize("text", ["<html>Temporal</html>", '{"a": 1}', "# TYPE a counter\na{b=} x\n"])
def test_other_text(text: str) -> None:
    """A page, JSON and broken lines are errors with a reason."""
    with pytest.raises(NotMetrics, match="the answer"):
        parse_metrics(text)
    assert parse_metrics("") == ParsedMetrics({}, {})  # a process whose worker has not started yet


def test_nan_is_ignored() -> None:
    """A gauge without a value is left out of a sum."""
    text = PLAIN + 'temporal_num_pollers{namespace="b",task_queue="q",poller_type="workflow_task"} NaN\n'
    assert parse_metrics(text).total("temporal_num_pollers") == 5


def test_change_between_scrapes() -> None:
    """Counters and histograms are differences; gauges have their present value."""
    later = (
        PLAIN.replace('"Start"} 3', '"Start"} 5').replace('le="100"} 3', 'le="100"} 5').replace('+Inf"} 3', '+Inf"} 5')
    )
    later = later.replace('"Start"} 90', '"Start"} 250').replace('"workflow_task"} 5', '"workflow_task"} 1')
    changed = change_between(parse_metrics(PLAIN), parse_metrics(later), 4.0)
    (request,) = worker_metrics(parse_metrics(later), changed).requests
    assert (request.requests.total, request.requests.per_second, changed.restarted) == (5, 0.5, False)
    assert request.latency is not None
    assert (request.latency.count, round(request.latency.mean_seconds, 6)) == (2, 0.08)
    assert changed.counted.total("temporal_num_pollers") == 1


def test_restarted_process() -> None:
    """A counter that decreased or disappeared means a restart: all counters count from 0, without differences."""
    busier = PLAIN + '# TYPE temporal_workflow_completed counter\ntemporal_workflow_completed{namespace="a"} 9\n'
    fewer = busier.replace('"Start"} 3', '"Start"} 2').replace('"a"} 9', '"a"} 10')
    for before, now, completed in ((busier, fewer, 10), (busier, PLAIN, 0)):
        changed = change_between(parse_metrics(before), parse_metrics(now), 2.0)
        assert changed.restarted
        assert changed.counted.total("temporal_workflow_completed") == completed


def test_quantiles() -> None:
    """Only a bucket with two bounds gives an estimate; the first and the last one give a bound."""
    buckets = [(1.0, 5.0), (2.0, 10.0), (math.inf, 20.0)]
    assert quantile(buckets, 0.25) == Quantile(0.0, 1.0, None)
    assert quantile(buckets, 0.375) == Quantile(1.0, 2.0, 1.5)
    assert quantile(buckets, 0.95) == Quantile(2.0, None, None)
    assert latency(parse_metrics(PLAIN), "temporal_request_latency", lambda _: False) is None


def test_endpoint_with_few_metrics() -> None:
    """The endpoint of one service of a cluster, or of another version, gives the metrics that it has."""
    figures = server_metrics(
        parse_metrics('# TYPE service_requests counter\nservice_requests{service_name="history"} 1\n')
    )
    assert (figures.version, figures.requests, figures.task_queues, figures.heap_bytes) == (None, (), (), None)


def test_very_many_task_queues(monkeypatch: pytest.MonkeyPatch) -> None:
    """With very many task queues (a namespace for each test), no series is read once for each queue."""
    name = 'poll_success{{namespace="n{0}",taskqueue="q",task_type="Workflow",partition="{1}"}} {0}\n'
    text = "# TYPE poll_success counter\n" + "".join(name.format(at, part) for at in range(300) for part in range(2))
    now, reads, original = parse_metrics(text), 0, ParsedMetrics.all

    def counted(self: ParsedMetrics, name: str, **labels: str) -> Iterator[tuple[dict[str, str], float]]:
        nonlocal reads
        for pair in original(self, name, **labels):
            reads += 1
            yield pair

    monkeypatch.setattr(ParsedMetrics, "all", counted)
    queues = server_metrics(now, change_between(now, now, 1.0)).task_queues
    assert [queue.dispatched.total for queue in queues] == [2 * at for at in reversed(range(300))]
    assert reads < 10 * len(now.series["poll_success"])


def test_huge_values() -> None:
    """Huge values are shown, and are no error."""
    figures = worker_metrics(
        parse_metrics(PLAIN.replace('"Start"} 90', '"Start"} 1e30').replace('le="100"', 'le="1e300"'))
    )
    report = MetricsReport(
        datetime.now(timezone.utc), (MetricsSample("worker", parse_endpoint("9000", "--worker"), figures),)
    )
    assert any("Start" in line for line in screen(report, 10))


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("9000", "http://127.0.0.1:9000/metrics"),
        ("worker:9000", "http://worker:9000/metrics"),
        ("[::1]:9000", "http://[::1]:9000/metrics"),
        ("http://a:1/x?y=z", "http://a:1/x?y=z"),
        ("https://a/", "https://a/metrics"),
    ],
)
def test_addresses(text: str, url: str) -> None:
    """An address is a port, `host:port` or a URL; the default path is `/metrics`."""
    assert parse_endpoint(text, "--worker").url == url


@pytest.mark.parametrize("text", ["", "host", "host:port", "host:99999", "ftp://a:1", "http://a", "http://me:pw@a:1"])
def test_invalid_addresses(text: str) -> None:
    """An invalid address is wrong usage, with an example."""
    with pytest.raises(OptionError, match="is not the address of a metrics endpoint"):
        parse_endpoint(text, "--worker")


class Answer(BaseHTTPRequestHandler):
    """A server that answers by path: with an error, without end, never, or with a page."""

    def do_GET(self) -> None:
        """Answer by path."""
        self.send_response(503 if self.path == "/busy" else 200)
        self.end_headers()
        if self.path == "/silent":
            self.server.closing.wait(30)  # type: ignore[attr-defined]
        while self.path == "/endless":
            try:
                self.wfile.write(b"x" * (1 << 20))
            except OSError:
                break
        if self.path == "/page":
            self.wfile.write(b"<html>")

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def odd_server() -> Iterator[str]:
    """The address of that server."""
    from threading import Event

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as http:
        http.closing = Event()  # type: ignore[attr-defined]
        Thread(target=http.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.closing.set()  # type: ignore[attr-defined]
        http.shutdown()


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/busy", "the answer is 503"),
        ("/endless", "the answer is larger than 64 MB"),
        ("/silent", "no answer within 0.3 s"),
    ],
)
def test_misbehaving_endpoints(odd_server: str, path: str, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error has the reason; nothing hangs or fills the memory; a loopback address needs no proxy."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with pytest.raises(CannotAsk) as caught:
        asyncio.run(
            fetch_metrics(parse_endpoint(odd_server + path, "--server"), limit=0.3 if path == "/silent" else 30.0)
        )
    assert caught.value.details[0].startswith(why)
