"""Exports through TLS, proxies and redirections, and to collectors that refuse."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timezone
from pathlib import Path

import pytest

from devserver.otel import ExportFailed, HistorySpan
from devserver.otel.http_session import CollectorSession
from devserver.otel.otlp import ExportResult, otlp_exporter, send
from tests.helpers.collector import Collector
from tests.helpers.tls_proxy import make_certificates, tls_proxy

CA, CLIENT, KEY = (f"OTEL_EXPORTER_OTLP_{name}" for name in ("CERTIFICATE", "CLIENT_CERTIFICATE", "CLIENT_KEY"))


async def one_span() -> AsyncIterator[HistorySpan]:
    """Return a span."""
    now = datetime.now(timezone.utc)
    yield HistorySpan(1, 2, None, "run Order", now, now)


async def sent_to(url: str) -> ExportResult:
    """Export it, and return the result."""
    return await send(one_span(), otlp_exporter(url), where=url)


@pytest.mark.asyncio
async def test_a_collector_behind_tls(otlp: Collector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the CA and the client certificate of OpenTelemetry's variables the export works; without them, the error
    names the cause and the variables."""
    certificates = make_certificates(tmp_path / "tls")
    with tls_proxy(otlp.url.removeprefix("http://"), certificates, clients=True) as address:
        url = f"https://{address}"
        for file, reason in (
            (None, "CERTIFICATE_VERIFY_FAILED"),
            ("other-ca.pem", "CERTIFICATE_VERIFY_FAILED"),
            ("missing.pem", "missing.pem"),
        ):
            if file is not None:
                monkeypatch.setenv(CA, certificates.path(file))
            with pytest.raises(ExportFailed, match=reason) as refused:
                await sent_to(url)
            assert CA in (refused.value.hint or "")
        for name, file in ((CA, "ca.pem"), (CLIENT, "client.pem"), (KEY, "client.key")):
            monkeypatch.setenv(name, certificates.path(file))
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", certificates.path("other-ca.pem"))
        assert await sent_to(url) == ExportResult(1)
        session = CollectorSession(direct=False)  # as for a remote collector: its own CA takes precedence
        session.verify, session.cert = (
            certificates.path("ca.pem"),
            (certificates.path("client.pem"), certificates.path("client.key")),
        )
        assert session.get(url).status_code == 501
    assert len(otlp.spans) == 1


@pytest.mark.asyncio
async def test_redirected_or_rejected_spans_are_an_error(otlp: Collector) -> None:
    """A login page and a partly accepted export are failures with a reason."""
    otlp.answer = 302
    with pytest.raises(ExportFailed, match=r"it redirects \(302\) to another address"):
        await sent_to(otlp.url)
    otlp.answer, otlp.rejects = 200, "too old"
    with pytest.raises(ExportFailed, match="it rejected 1 of them: too old"):
        await sent_to(otlp.url)


@pytest.mark.asyncio
async def test_no_proxy_for_this_machine(otlp: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    """A configured proxy is not used for a collector on this machine."""
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert await sent_to(otlp.url.replace("127.0.0.1", "localhost")) == ExportResult(1)
