"""What endpoints answer, brought into one form: spelling, units, differences, quantiles, addresses."""

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
def test_every_spelling_of_an_sdk_is_understood(text: str) -> None:
    """Counters with and without `_total`, durations in seconds or milliseconds, named so or not: the same figures."""
    (request,) = worker_metrics(parse_metrics(text)).requests
    assert (request.name, request.requests.total) == ("Start", 3)
    assert request.latency is not None
    assert (request.latency.count, round(request.latency.mean_seconds, 6)) == (3, 0.03)
    assert request.latency.p50.high == pytest.approx(0.05)
    p95 = request.latency.p95
    assert (p95.low, p95.high, p95.seconds) == pytest.approx((0.05, 0.1, 0.0925))


def test_what_is_not_wanted_is_not_read() -> None:
    """A look reads only what its figures need."""
    metrics = parse_metrics(PLAIN, ["temporal_request"])
    assert set(metrics.spellings) == set(metrics.series) == {"temporal_request"}


@pytest.mark.parametrize("text", ["<html>Temporal</html>", '{"a": 1}', "# TYPE a counter\na{b=} x\n"])
def test_what_is_no_prometheus_text(text: str) -> None:
    """A page, JSON and broken lines are told, and no crash."""
    with pytest.raises(NotMetrics, match="what was answered"):
        parse_metrics(text)
    assert parse_metrics("") == ParsedMetrics({}, {})  # a worker's process before its worker begins


def test_what_is_no_number_is_nothing() -> None:
    """A gauge without a value is left out; the others are summed."""
    text = PLAIN + 'temporal_num_pollers{namespace="b",task_queue="q",poller_type="workflow_task"} NaN\n'
    assert parse_metrics(text).total("temporal_num_pollers") == 5


def test_what_happened_between_two_looks() -> None:
    """Counters and histograms are differences, gauges what they are now."""
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


def test_a_process_that_was_started_anew() -> None:
    """One counter that became less, or is gone, says that all began at 0: none is taken for a difference."""
    busier = PLAIN + '# TYPE temporal_workflow_completed counter\ntemporal_workflow_completed{namespace="a"} 9\n'
    fewer = busier.replace('"Start"} 3', '"Start"} 2').replace('"a"} 9', '"a"} 10')
    for before, now, completed in ((busier, fewer, 10), (busier, PLAIN, 0)):
        changed = change_between(parse_metrics(before), parse_metrics(now), 2.0)
        assert changed.restarted
        assert changed.counted.total("temporal_workflow_completed") == completed


def test_quantiles_claim_no_more_than_the_buckets_know() -> None:
    """In the first bucket it is below its bound, in the last above; a straight line only between two bounds."""
    buckets = [(1.0, 5.0), (2.0, 10.0), (math.inf, 20.0)]
    assert quantile(buckets, 0.25) == Quantile(0.0, 1.0, None)
    assert quantile(buckets, 0.375) == Quantile(1.0, 2.0, 1.5)
    assert quantile(buckets, 0.95) == Quantile(2.0, None, None)
    assert latency(parse_metrics(PLAIN), "temporal_request_latency", lambda _: False) is None


def test_a_server_that_tells_little() -> None:
    """An endpoint of a part of a cluster, or of another version, has figures as far as it goes."""
    figures = server_metrics(
        parse_metrics('# TYPE service_requests counter\nservice_requests{service_name="history"} 1\n')
    )
    assert (figures.version, figures.requests, figures.task_queues, figures.heap_bytes) == (None, (), (), None)


def test_very_many_task_queues(monkeypatch: pytest.MonkeyPatch) -> None:
    """As after a test run with a namespace for each test: no series is looked at once for every queue."""
    name = 'poll_success{{namespace="n{0}",taskqueue="q",task_type="Workflow",partition="{1}"}} {0}\n'
    text = "# TYPE poll_success counter\n" + "".join(name.format(at, part) for at in range(300) for part in range(2))
    now, looked_at, all_of = parse_metrics(text), 0, ParsedMetrics.all

    def counted(self: ParsedMetrics, name: str, **wanted: str) -> Iterator[tuple[dict[str, str], float]]:
        nonlocal looked_at
        for each in all_of(self, name, **wanted):
            looked_at += 1
            yield each

    monkeypatch.setattr(ParsedMetrics, "all", counted)
    queues = server_metrics(now, change_between(now, now, 1.0)).task_queues
    assert [queue.dispatched.total for queue in queues] == [2 * at for at in reversed(range(300))]
    assert looked_at < 10 * len(now.series["poll_success"])


def test_figures_beyond_all_bounds() -> None:
    """They are shown; what they mean is for their reader to say."""
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
    """A port, `host:port` or a URL; `/metrics` is where the SDKs and the server answer."""
    assert parse_endpoint(text, "--worker").url == url


@pytest.mark.parametrize("text", ["", "host", "host:port", "host:99999", "ftp://a:1", "http://a", "http://me:pw@a:1"])
def test_what_is_no_address(text: str) -> None:
    """Wrong usage, with the right form."""
    with pytest.raises(OptionError, match="is no address of metrics"):
        parse_endpoint(text, "--worker")


class Answer(BaseHTTPRequestHandler):
    """Answers by the path: an error, without end, never, with a page."""

    def do_GET(self) -> None:
        """As the path wants it."""
        self.send_response(503 if self.path == "/busy" else 200)
        self.end_headers()
        if self.path == "/silent":
            self.server.over.wait(30)  # type: ignore[attr-defined]
        while self.path == "/endless":
            try:
                self.wfile.write(b"x" * (1 << 20))
            except OSError:
                break
        if self.path == "/page":
            self.wfile.write(b"<html>")

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def odd() -> Iterator[str]:
    """The address of such a server."""
    from threading import Event

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as http:
        http.over = Event()  # type: ignore[attr-defined]
        Thread(target=http.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.over.set()  # type: ignore[attr-defined]
        http.shutdown()


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/busy", "it answers 503"),
        ("/endless", "its answer is larger than 64 MB"),
        ("/silent", "no answer within 0.3 s"),
    ],
)
def test_endpoints_that_misbehave(odd: str, path: str, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is told with its reason; none hangs or fills the memory; no proxy is asked for what is here."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with pytest.raises(CannotAsk) as caught:
        asyncio.run(fetch_metrics(parse_endpoint(odd + path, "--server"), limit=0.3 if path == "/silent" else 30.0))
    assert caught.value.details[0].startswith(why)
