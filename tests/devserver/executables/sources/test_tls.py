"""Whom the download trusts: the system's CAs, and those of the company."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from devserver.errors import DownloadFailed
from devserver.executables import BinaryRequest
from devserver.executables.resolve import ensure
from devserver.system.paths import Paths
from tests.helpers.download_service import VERSION, DownloadService, script, tar_gz

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for loopback, and its key, signed by nobody."""
    key, path = tmp_path / "key.pem", tmp_path / "certificate.pem"
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    whom = ["-subj", "/CN=company", "-addext", "subjectAltName=IP:127.0.0.1"]
    command = ["openssl", "req", "-x509", *kind, *whom, "-keyout", str(key), "-out", str(path)]
    subprocess.run(command, check=True, capture_output=True)
    path.write_text(path.read_text() + key.read_text())
    return path


@pytest.fixture
def secure(certificate: Path) -> Iterator[DownloadService]:
    """A mirror inside a company."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with DownloadService(tar_gz(("temporal", script()))).serving(context) as service:
        yield service


def request(service: DownloadService) -> BinaryRequest:
    """A request to that mirror."""
    return BinaryRequest(version=VERSION, source="release", base_url=service.url)


def test_a_certificate_nobody_signed_is_refused_at_once(paths: Paths, secure: DownloadService) -> None:
    """The error says that it is about trust, and where CAs belong."""
    with pytest.raises(DownloadFailed, match="this system does not trust its certificate") as caught:
        ensure(request(secure), paths=paths)
    assert "the system's trust store" in str(caught.value)
    assert secure.asked == []


def test_a_ca_of_the_company_is_honoured(
    paths: Paths, secure: DownloadService, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the system trusts, SSL_CERT_FILE included, is trusted."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert ensure(request(secure), paths=paths).version == VERSION


def test_an_archive_without_encryption_is_refused(
    paths: Paths, secure: DownloadService, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An encrypted mirror may not lead to an address that is not."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    secure.archive_url = "http://127.0.0.1:9/archive"
    with pytest.raises(DownloadFailed, match="which is not encrypted"):
        ensure(request(secure), paths=paths)
