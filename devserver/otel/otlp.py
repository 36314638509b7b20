"""Sends spans to an OpenTelemetry collector, or to any exporter of the OpenTelemetry SDK."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import AsyncIterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

from ..client.timestamps import EPOCH
from ..errors import OptionError
from ..system.ports import is_loopback
from .errors import ExportFailed, OpenTelemetryMissing
from .exporter_thread import beside
from .model import HistorySpan

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter

BATCH = 512
SECONDS = 10.0
SERVICE = "temporal"
EXPORTER_LOG = "opentelemetry.exporter.otlp.proto.http"
# Where one of these is set, OpenTelemetry makes a session that has the user's credentials.
PROVIDERS = tuple(f"OTEL_PYTHON_EXPORTER_OTLP_HTTP_{kind}CREDENTIAL_PROVIDER" for kind in ("", "TRACES_"))
OF_TLS = ("SSL", "TLS", "certificate")


@dataclass(frozen=True)
class ExportResult:
    """How many spans were sent, and how many were not because they go on."""

    spans: int = 0
    open: int = 0


def otlp_exporter(endpoint: str, *, seconds: float = SECONDS) -> SpanExporter:
    """An exporter to a collector that speaks OTLP over HTTP.

    Headers, certificates and compression are read from OpenTelemetry's own variables, as `OTEL_EXPORTER_OTLP_HEADERS`
    and `OTEL_EXPORTER_OTLP_CERTIFICATE`. On this machine no proxy is asked.

    Args:
        endpoint: As `http://127.0.0.1:4318`; `/v1/traces` is added where there is no path.
        seconds: How long one batch may take, its retries included.

    Raises:
        OpenTelemetryMissing: The extra `otel` is not installed.
        OptionError: The endpoint is no URL.
    """
    parts = _parts(endpoint)
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ImportError:
        raise OpenTelemetryMissing from None
    from .http_session import CollectorSession

    whole = parts if parts.path.strip("/") else parts._replace(path="/v1/traces")
    own = None if any(map(os.environ.get, PROVIDERS)) else CollectorSession(direct=is_loopback(parts.hostname or ""))
    return OTLPSpanExporter(endpoint=whole.geturl(), timeout=seconds, session=own)


def without_secrets(endpoint: str) -> str:
    """The endpoint as it may be shown: without a user, a password and what comes after the path."""
    parts = _parts(endpoint)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def _parts(endpoint: str) -> SplitResult:
    try:
        parts = urlsplit(endpoint)
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return parts
    except ValueError:  # brackets that do not match, or a port that is none
        pass
    raise OptionError(f"{endpoint} is no OTLP endpoint", hint="give a URL, as http://127.0.0.1:4318")


async def send(
    spans: AsyncIterable[HistorySpan], exporter: SpanExporter, *, where: str, include_open: bool = False
) -> ExportResult:
    """Send spans as they come, in batches; what goes on is sent once it has ended.

    Args:
        where: What an error calls the collector.
        include_open: Send also what goes on, with the present moment as its end and the attribute `temporal.open`.

    Raises:
        ExportFailed: The collector does not answer or refuses; spans sent before are sent.
    """
    resource = _resource()
    sent, still_open = 0, 0
    batch: list[ReadableSpan] = []
    async for span in spans:
        if span.open:
            still_open += 1
            if not include_open:
                continue
        batch.append(readable(span, resource))
        if len(batch) == BATCH:
            await beside(partial(_export, exporter, batch, where))
            sent, batch = sent + len(batch), []
    if batch:
        await beside(partial(_export, exporter, batch, where))
    return ExportResult(sent + len(batch), still_open)


def _export(exporter: SpanExporter, batch: Sequence[ReadableSpan], where: str) -> None:
    from opentelemetry.sdk.trace.export import SpanExportResult

    said = _Said()
    log = logging.getLogger(EXPORTER_LOG)
    log.addHandler(said)
    try:
        result = exporter.export(batch)
        reason = said.lines
    except Exception as error:  # noqa: BLE001 - an exporter may be anybody's
        result, reason = SpanExportResult.FAILURE, [f"{type(error).__name__}: {error}"]
    finally:
        log.removeHandler(said)
    if result is not SpanExportResult.SUCCESS:
        raise ExportFailed(
            f"the collector at {where} did not take {len(batch)} spans",
            details=reason[-3:],
            hint=_hint(" ".join(reason)),
        )


def _hint(reason: str) -> str:
    if any(word in reason for word in OF_TLS):
        own = "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and ..._CLIENT_KEY"
        return f"OTEL_EXPORTER_OTLP_CERTIFICATE names the CA of its certificate, {own} name yours"
    return "see that it runs and takes OTLP over HTTP (often port 4318; 4317 is gRPC)"


class _Said(logging.Handler):
    """Keeps what an exporter logs: it tells its reasons nowhere else."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one line, if it is of this export and not of one beside it."""
        if record.thread != self._thread:
            return
        self.lines.append(" ".join(record.getMessage().split())[:300])


def _resource() -> Resource:
    """Who the spans are of: the service `temporal`, or what OpenTelemetry's variables say."""
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource

    return Resource({"service.name": SERVICE}).merge(OTELResourceDetector().detect())


def readable(span: HistorySpan, resource: Resource) -> ReadableSpan:
    """The span as the OpenTelemetry SDK has it."""
    from opentelemetry.sdk.trace import Event, ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope
    from opentelemetry.trace import SpanKind, Status, StatusCode

    end = max(span.end or datetime.now(timezone.utc), span.start)  # a worker's own clock may have been behind
    attributes: dict[str, Any] = {**span.attributes, **({"temporal.open": True} if span.open else {})}
    return ReadableSpan(
        name=span.name.encode(errors="replace").decode(),  # a marker may say anything
        context=_context(span.trace_id, span.span_id),
        parent=_context(span.trace_id, span.parent_id) if span.parent_id is not None else None,
        resource=resource,
        attributes=attributes,
        events=[Event(each.name, each.attributes, nanoseconds(each.at)) for each in span.events],
        kind=SpanKind.CLIENT if span.kind == "client" else SpanKind.INTERNAL,
        status=Status(StatusCode.ERROR, span.error) if span.error is not None else Status(StatusCode.UNSET),
        start_time=nanoseconds(span.start),
        end_time=nanoseconds(end),
        instrumentation_scope=InstrumentationScope("devserver.otel"),
    )


def _context(trace_id: int, span_id: int) -> Any:
    from opentelemetry.trace import SpanContext, TraceFlags

    return SpanContext(trace_id, span_id, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))


def nanoseconds(moment: datetime) -> int:
    """Since 1970; exact, which a float would not be."""
    return (moment - EPOCH) // timedelta(microseconds=1) * 1000
