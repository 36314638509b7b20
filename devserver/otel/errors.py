"""What can go wrong with spans."""

from __future__ import annotations

from ..errors import DevServerError


class OpenTelemetryMissing(DevServerError):
    """The packages of the extra `otel` are not installed."""

    def __init__(self, message: str = "sending spans needs OpenTelemetry, which is not installed", **more: object):
        super().__init__(message, hint="pip install 'temporal-devserver[otel]'")


class ExportFailed(DevServerError):
    """The collector did not take the spans."""
