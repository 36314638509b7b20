"""What can go wrong with spans."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import DevServerError


class OpenTelemetryMissing(DevServerError):
    """The packages of the extra `otel` are not installed."""

    def __init__(
        self,
        message: str = "sending spans needs OpenTelemetry, which is not installed",
        *,
        details: Sequence[str] = (),
        hint: str | None = "pip install 'temporal-devserver[otel]'",
    ) -> None:
        super().__init__(message, details=details, hint=hint)


class ExportFailed(DevServerError):
    """The collector did not take the spans."""
