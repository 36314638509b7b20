"""The certificates of a local certificate authority."""

from __future__ import annotations

import datetime as dt
import importlib.util
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from devserver.network.certificates import CertificateFiles, issue
from devserver.network.errors import CertificatesDamaged, TlsMissing

HOSTS = ("localhost", "127.0.0.1", "orders.a1b2c.tmprl.cloud")


def certificate(path: Path) -> x509.Certificate:
    """The certificate in a file."""
    return x509.load_pem_x509_certificate(path.read_bytes())


def verified(files: CertificateFiles, host: str) -> None:
    """Check the server's certificate as a strict client does."""
    store = Store([certificate(files.ca)])
    PolicyBuilder().store(store).build_server_verifier(x509.DNSName(host)).verify(certificate(files.server), [])


def test_a_strict_client_accepts_the_server(tmp_path: Path) -> None:
    """Its certificate is valid for its names only, and the client's for clients only."""
    files = issue(tmp_path / "tls", HOSTS)
    verified(files, "localhost")
    verified(files, "orders.a1b2c.tmprl.cloud")
    with pytest.raises(VerificationError):
        verified(files, "example.com")
    store = Store([certificate(files.ca)])
    client = PolicyBuilder().store(store).build_client_verifier()
    client.verify(certificate(files.client), [])
    with pytest.raises(VerificationError):
        client.verify(certificate(files.server), [])
    assert files.server_context(client_auth=True).verify_mode is ssl.CERT_REQUIRED


def test_private_keys_are_private(tmp_path: Path) -> None:
    """Other users can read neither a key nor the folder."""
    files = issue(tmp_path / "tls", HOSTS)
    assert {path.stat().st_mode & 0o777 for path in (files.ca_key, files.server_key, files.client_key)} == {0o600}
    assert files.folder.stat().st_mode & 0o777 == 0o700


def test_clients_stay_configured(tmp_path: Path) -> None:
    """The next start issues a certificate for other names with the same CA, and the client keeps its own."""
    files = issue(tmp_path / "tls", HOSTS)
    before = files.ca.read_text(), files.client.read_text(), files.server.read_text()
    issue(tmp_path / "tls", ("other.example",))
    verified(files, "other.example")
    assert (files.ca.read_text(), files.client.read_text()) == before[:2]
    assert files.server.read_text() != before[2]


def test_an_expired_certificate(tmp_path: Path) -> None:
    """Clients refuse it, although its issuer is trusted."""
    files = issue(tmp_path / "tls", HOSTS, expired=True)
    assert certificate(files.server).not_valid_after_utc < dt.datetime.now(dt.timezone.utc)
    with pytest.raises(VerificationError, match="not valid"):
        verified(files, "localhost")


@pytest.mark.parametrize("damage", ["ca.pem", "ca.key", "no key", "other key"])
def test_a_damaged_authority(tmp_path: Path, damage: str) -> None:
    """The error names the folder to remove; the files are left as they are."""
    files = issue(tmp_path / "tls", HOSTS)
    if damage == "no key":
        files.ca_key.unlink()
    elif damage == "other key":
        files.ca_key.write_bytes(files.server_key.read_bytes())
    else:
        (files.folder / damage).write_text("damaged")
    before = files.ca.read_bytes()
    with pytest.raises(CertificatesDamaged) as caught:
        issue(tmp_path / "tls", HOSTS)
    assert f"remove {files.folder}" in str(caught.value.hint)
    assert files.ca.read_bytes() == before


def test_a_damaged_certificate_of_a_client_is_issued_again(tmp_path: Path) -> None:
    """Nobody can use it anymore."""
    files = issue(tmp_path / "tls", HOSTS)
    files.client.write_text("damaged")
    issue(tmp_path / "tls", HOSTS)
    assert certificate(files.client).issuer == certificate(files.ca).subject


def test_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to install, before anything is written."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "hpack" else object())
    with pytest.raises(TlsMissing) as caught:
        issue(tmp_path / "tls", HOSTS)
    assert caught.value.message == "TLS and API keys need hpack"
    assert "temporal-devserver[tls]" in str(caught.value.hint)
    assert not (tmp_path / "tls").exists()
