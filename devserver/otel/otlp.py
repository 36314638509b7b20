"""Sends spans to an OpenTelemetry collector, or to any exporter of the OpenTelemetry SDK."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import threading
from collections.abc import AsyncIterable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from ..errors import DevServerError, OptionError
from ..system.ports import is_loopback
from .readable_spans import readable, resource
from .spans import HistorySpan

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter

BATCH = 512
SECONDS = 10.0
EXPORTER_LOG = "opentelemetry.exporter.otlp.proto.http"
# If one of these is set, OpenTelemetry makes a session with the user's credentials.
PROVIDERS = tuple(f"OTEL_PYTHON_EXPORTER_OTLP_HTTP_{kind}CREDENTIAL_PROVIDER" for kind in ("", "TRACES_"))
OF_TLS = ("SSL", "TLS", "certificate")


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
    """The collector did not accept the spans."""


@dataclass(frozen=True)
class ExportResult:
    """How many spans were sent, and how many are still open."""

    spans: int = 0
    open: int = 0


def otlp_exporter(endpoint: str, *, seconds: float = SECONDS) -> SpanExporter:
    """An exporter to a collector that speaks OTLP over HTTP.

    Headers, certificates and compression come from OpenTelemetry's own variables, such as
    `OTEL_EXPORTER_OTLP_HEADERS` and `OTEL_EXPORTER_OTLP_CERTIFICATE`. A collector on this machine is never reached
    through a proxy.

    Args:
        endpoint: A URL such as `http://127.0.0.1:4318`; `/v1/traces` is added if it has no path.
        seconds: Limit of one batch, with its retries.

    Raises:
        OpenTelemetryMissing: The extra `otel` is not installed.
        OptionError: The endpoint is not a URL.
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
    """The endpoint without user, password and query, to be shown."""
    parts = _parts(endpoint)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def _parts(endpoint: str) -> SplitResult:
    try:
        parts = urlsplit(endpoint)
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return parts
    except ValueError:  # unmatched brackets, or an invalid port
        pass
    raise OptionError(f"{endpoint} is not an OTLP endpoint", hint="write a URL such as http://127.0.0.1:4318")


async def send(
    spans: AsyncIterable[HistorySpan], exporter: SpanExporter, *, where: str, include_open: bool = False
) -> ExportResult:
    """Send spans in batches, as they come. Open spans are not sent.

    Args:
        where: The collector's name in errors.
        include_open: Send open spans too, with the current time as their end and the attribute `temporal.open`.

    Raises:
        ExportFailed: The collector does not answer, or refuses a batch; batches before that one were sent.
    """
    sender = resource()
    sent, still_open = 0, 0
    batch: list[ReadableSpan] = []
    async for span in spans:
        if span.open:
            still_open += 1
            if not include_open:
                continue
        batch.append(readable(span, sender))
        if len(batch) == BATCH:
            await run_in_thread(partial(_export, exporter, batch, where))
            sent, batch = sent + len(batch), []
    if batch:
        await run_in_thread(partial(_export, exporter, batch, where))
    return ExportResult(sent + len(batch), still_open)


def _export(exporter: SpanExporter, batch: Sequence[ReadableSpan], where: str) -> None:
    from opentelemetry.sdk.trace.export import SpanExportResult

    lines = _LogLines()
    log = logging.getLogger(EXPORTER_LOG)
    log.addHandler(lines)
    try:
        result = exporter.export(batch)
        reason = lines.lines
    except Exception as error:  # noqa: BLE001 - an exporter may be anybody's
        result, reason = SpanExportResult.FAILURE, [f"{type(error).__name__}: {error}"]
    finally:
        log.removeHandler(lines)
    if result is not SpanExportResult.SUCCESS:
        raise ExportFailed(
            f"the collector at {where} did not accept {len(batch)} spans",
            details=reason[-3:],
            hint=_hint(" ".join(reason)),
        )


def _hint(reason: str) -> str:
    if any(word in reason for word in OF_TLS):
        own = "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and ..._CLIENT_KEY"
        return f"set OTEL_EXPORTER_OTLP_CERTIFICATE to the CA of its certificate, {own} to your own"
    return "check that it is running and accepts OTLP over HTTP (often port 4318; 4317 is gRPC)"


class _LogLines(logging.Handler):
    """Collects the log lines of an exporter, the only place where it gives its reasons."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        """Add a line, unless it comes from another export at the same time."""
        if record.thread != self._thread:
            return
        self.lines.append(" ".join(record.getMessage().split())[:300])


async def close(exporter: SpanExporter, seconds: float, *, shut_down: bool) -> None:
    """Have an exporter send what it has buffered, and shut it down if asked to, within a number of seconds."""

    def closed() -> None:
        exporter.force_flush(int(seconds * 1000))
        if shut_down:
            exporter.shutdown()

    with contextlib.suppress(asyncio.TimeoutError, Exception):  # the exporter may be the user's
        await asyncio.wait_for(run_in_thread(closed), seconds)


async def run_in_thread(call: Callable[[], None]) -> None:
    """Make a call that may hang in a daemon thread of its own: neither the event loop nor the process waits for it."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[None] = loop.create_future()

    def answer(error: Exception | None) -> None:
        if not future.done():
            future.set_result(None) if error is None else future.set_exception(error)

    def run() -> None:
        error: Exception | None = None
        try:
            call()
        except Exception as raised:  # noqa: BLE001 - it is raised in the caller
            error = raised
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(answer, error)

    threading.Thread(target=run, name="devserver.otel", daemon=True).start()
    await future
