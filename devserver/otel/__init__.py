"""Histories as OpenTelemetry spans, with the true start and end, and the same ids in each export.

The public names are those of `__all__`; they are loaded when first used. Sending spans needs the extra `otel`.
"""

from __future__ import annotations

from ..system.lazy_names import lazy_names

TYPE_CHECKING = False  # as in devserver/__init__.py
if TYPE_CHECKING:
    from .histories import spans_of
    from .otlp import ExportFailed, OpenTelemetryMissing
    from .plugin import HistorySpans
    from .spans import HistorySpan, SpanEvent
    from .tree import SpanTree

__all__ = ["ExportFailed", "HistorySpan", "HistorySpans", "OpenTelemetryMissing", "SpanEvent", "SpanTree", "spans_of"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "histories": ("spans_of",),
        "otlp": ("ExportFailed", "OpenTelemetryMissing"),
        "plugin": ("HistorySpans",),
        "spans": ("HistorySpan", "SpanEvent"),
        "tree": ("SpanTree",),
    },
)
