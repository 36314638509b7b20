"""Histories as OpenTelemetry spans, with the true start and end, and the same ids in each export.

The public names are those of `__all__`; they are loaded when first used. Sending spans needs the extra `otel`.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as in devserver/__init__.py
if TYPE_CHECKING:
    from typing import Any

    from .histories import spans_of
    from .otlp import ExportFailed, OpenTelemetryMissing
    from .plugin import HistorySpans
    from .spans import HistorySpan, SpanEvent
    from .tree import SpanTree

__all__ = ["ExportFailed", "HistorySpan", "HistorySpans", "OpenTelemetryMissing", "SpanEvent", "SpanTree", "spans_of"]

_HOMES = {
    "ExportFailed": "otlp",
    "HistorySpan": "spans",
    "HistorySpans": "plugin",
    "OpenTelemetryMissing": "otlp",
    "SpanEvent": "spans",
    "SpanTree": "tree",
    "spans_of": "histories",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'devserver.otel' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
