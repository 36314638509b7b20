"""Converts spans to those of the OpenTelemetry SDK."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from ..client.timestamps import EPOCH
from .spans import HistorySpan

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan

SERVICE = "temporal"


def resource() -> Resource:
    """The sender of the spans: the service `temporal`, or what OpenTelemetry's variables say."""
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource

    return Resource({"service.name": SERVICE}).merge(OTELResourceDetector().detect())


def readable(span: HistorySpan, sender: Resource) -> ReadableSpan:
    """The span as an object of the OpenTelemetry SDK."""
    from opentelemetry.sdk.trace import Event, ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope
    from opentelemetry.trace import SpanKind, Status, StatusCode

    end = max(span.end or datetime.now(timezone.utc), span.start)  # the clock of a worker may be behind the server's
    attributes: dict[str, Any] = {**span.attributes, **({"temporal.open": True} if span.open else {})}
    return ReadableSpan(
        name=span.name.encode(errors="replace").decode(),  # the name of a marker is arbitrary
        context=_context(span.trace_id, span.span_id),
        parent=_context(span.trace_id, span.parent_id) if span.parent_id is not None else None,
        resource=sender,
        attributes=attributes,
        events=[Event(event.name, event.attributes, nanoseconds(event.at)) for event in span.events],
        kind=SpanKind.CLIENT if span.kind == "client" else SpanKind.INTERNAL,
        status=Status(StatusCode.ERROR, span.error) if span.error is not None else Status(StatusCode.UNSET),
        start_time=nanoseconds(span.start),
        end_time=nanoseconds(end),
        instrumentation_scope=InstrumentationScope("devserver.otel"),
    )


def _context(trace_id: int, span_id: int) -> Any:
    from opentelemetry.trace import SpanContext, TraceFlags

    return SpanContext(trace_id, span_id, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))


def nanoseconds(when: datetime) -> int:
    """Nanoseconds since 1970; exact, unlike a float."""
    return (when - EPOCH) // timedelta(microseconds=1) * 1000
