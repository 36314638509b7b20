"""Collectors as they are in companies: behind TLS, proxies and redirections, and with a mind of their own."""

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
    """A span."""
    now = datetime.now(timezone.utc)
    yield HistorySpan(1, 2, None, "run Order", now, now)


async def sent_to(url: str) -> ExportResult:
    """What became of it."""
    return await send(one_span(), otlp_exporter(url), where=url)


@pytest.mark.asyncio
async def test_a_collector_behind_tls(otlp: Collector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the CA and the certificate that OpenTelemetry's variables name it is sent; without, the reason is told at
    once, and what to set.
    """
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
        session = CollectorSession(direct=False)  # as for a collector elsewhere: its own CA wins over the others'
        session.verify, session.cert = (
            certificates.path("ca.pem"),
            (certificates.path("client.pem"), certificates.path("client.key")),
        )
        assert session.get(url).status_code == 501
    assert len(otlp.spans) == 1


@pytest.mark.asyncio
async def test_what_is_redirected_or_rejected_is_not_sent(otlp: Collector) -> None:
    """A login page and a collector that takes some only are no success; the reason is in the error."""
    otlp.answer = 302
    with pytest.raises(ExportFailed, match=r"it redirects \(302\) to another address"):
        await sent_to(otlp.url)
    otlp.answer, otlp.rejects = 200, "too old"
    with pytest.raises(ExportFailed, match="it rejected 1 of them: too old"):
        await sent_to(otlp.url)


@pytest.mark.asyncio
async def test_no_proxy_is_asked_for_this_machine(otlp: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    """A company's proxy, which cannot reach it, does not stand in the way."""
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert await sent_to(otlp.url.replace("127.0.0.1", "localhost")) == ExportResult(1)
