"""A loopback OpenTelemetry collector that records spans sent over OTLP/HTTP, or rejects them."""

from __future__ import annotations

import contextlib
import gzip
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from tests.helpers.waiting import eventually


@dataclass
class Collector:
    """Received spans in order; `answer` is its HTTP status, `rejects` the reason for which it rejects spans."""

    url: str
    answer: int = 200
    rejects: str = ""
    spans: list[Any] = field(default_factory=list)
    services: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def named(self, name: str) -> list[Any]:
        """Return the spans of that name."""
        return [span for span in self.spans if span.name == name]

    def wait_for(self, name: str, count: int = 1) -> list[Any]:
        """Wait for this many spans of that name, and return them."""
        return eventually(lambda: found if len(found := self.named(name)) >= count else [])


@contextlib.contextmanager
def collector() -> Iterator[Collector]:
    """Run a collector on a free loopback port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.headers.append({name.lower(): value for name, value in self.headers.items()})
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            if received.answer == 200 and self.path == "/v1/traces":
                keep(received, body)
            response = ExportTraceServiceResponse()
            if received.rejects:
                partly = ExportTracePartialSuccess(rejected_spans=1, error_message=received.rejects)
                response.partial_success.CopyFrom(partly)
            answer = response.SerializeToString()
            self.send_response(received.answer if self.path == "/v1/traces" else 404)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as in the base class
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    received = Collector(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield received
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def keep(received: Collector, body: bytes) -> None:
    """Record the spans of one request."""
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        values = {attribute.key: attribute.value.string_value for attribute in resource.resource.attributes}
        received.services.append(values.get("service.name", ""))
        for scope in resource.scope_spans:
            received.spans.extend(scope.spans)
