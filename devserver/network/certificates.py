"""Certificates of a local certificate authority (CA), for a server on this machine and its clients.

The CA and the client's certificate are created once in a folder and stay the same. The server's certificate is issued
again at each start, because its names and its lifetime can change; clients only know the CA.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..system.files import private_folder, write_private
from . import x509
from .errors import CertificatesDamaged, TlsMissing

if TYPE_CHECKING:
    import ssl

    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.x509 import Certificate
    from cryptography.x509.oid import ObjectIdentifier

CA_LIFETIME = dt.timedelta(days=3650)
LIFETIME = dt.timedelta(days=365)
CLOCK_DIFFERENCE = dt.timedelta(hours=1)  # of a client in a virtual machine or a container
EXTRA = "tls"
PACKAGES = ("cryptography", "hpack")  # of the extra
AUTHORITY = "temporal-devserver CA"


@dataclass(frozen=True)
class CertificateFiles:
    """The files of a CA and of the certificates that it issued, in PEM; private keys are readable for the user only."""

    folder: Path

    @property
    def ca(self) -> Path:
        """The certificate of the CA, which clients trust."""
        return self.folder / "ca.pem"

    @property
    def ca_key(self) -> Path:
        """The private key of the CA."""
        return self.folder / "ca.key"

    @property
    def server(self) -> Path:
        """The server's certificate."""
        return self.folder / "server.pem"

    @property
    def server_key(self) -> Path:
        """The server's private key."""
        return self.folder / "server.key"

    @property
    def client(self) -> Path:
        """The certificate of a client, for mutual TLS."""
        return self.folder / "client.pem"

    @property
    def client_key(self) -> Path:
        """The client's private key."""
        return self.folder / "client.key"

    def server_context(self, *, client_auth: bool) -> ssl.SSLContext:
        """TLS for a gRPC server; with `client_auth` clients need a certificate of the CA."""
        import ssl

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["h2"])
        context.load_cert_chain(self.server, self.server_key)
        if client_auth:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.ca)
        return context


def require_extra() -> None:
    """Check that what TLS needs is installed.

    Raises:
        TlsMissing: It is not.
    """
    import importlib.util

    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise TlsMissing(
            f"TLS and API keys need {' and '.join(missing)}",
            hint=f"install the extra {EXTRA}: pip install 'temporal-devserver[{EXTRA}]'",
        )


def issue(folder: Path, hosts: Sequence[str], *, expired: bool = False) -> CertificateFiles:
    """The certificates in `folder`: the CA and the client's are created if they are missing, the server's is new.

    Args:
        folder: The folder, private to this user.
        hosts: The host names and IP addresses of the server.
        expired: Give the server a certificate that expired yesterday.

    Raises:
        TlsMissing: The extra `tls` is not installed.
        CertificatesDamaged: The files of the CA cannot be used.
        UnsafeFolder, FolderNotWritable: The folder cannot be used.
    """
    require_extra()
    from cryptography.x509.oid import ExtendedKeyUsageOID

    files = CertificateFiles(folder)
    private_folder(folder)
    now = dt.datetime.now(dt.timezone.utc)
    authority = _Authority.load(files) if files.ca_key.exists() or files.ca.exists() else _Authority.create(files, now)
    if not _is_current(files.client, now) or not files.client_key.exists():
        authority.sign(
            files.client, files.client_key, ("client",), ExtendedKeyUsageOID.CLIENT_AUTH, now, now + LIFETIME
        )
    end = now - dt.timedelta(days=1) if expired else now + LIFETIME
    begin = end - LIFETIME if expired else now - CLOCK_DIFFERENCE
    authority.sign(files.server, files.server_key, hosts, ExtendedKeyUsageOID.SERVER_AUTH, begin, end)
    return files


class _Authority:
    """A certificate authority with its private key."""

    def __init__(self, certificate: Certificate, key: EllipticCurvePrivateKey) -> None:
        self._certificate = certificate
        self._key = key

    @classmethod
    def create(cls, files: CertificateFiles, now: dt.datetime) -> _Authority:
        """A new one."""
        key = x509.new_key()
        builder = x509.builder(AUTHORITY, key, now - CLOCK_DIFFERENCE, now + CA_LIFETIME).issuer_name(
            x509.name(AUTHORITY)
        )
        certificate = x509.signed(x509.with_usage(builder, authority=True), key)
        write_private(files.ca_key, x509.key_text(key))
        write_private(files.ca, x509.text(certificate))
        return cls(certificate, key)

    @classmethod
    def load(cls, files: CertificateFiles) -> _Authority:
        """The one that `create` wrote."""
        from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
        from cryptography.x509 import load_pem_x509_certificate

        try:
            certificate = load_pem_x509_certificate(files.ca.read_bytes())
            key = load_pem_private_key(files.ca_key.read_bytes(), None)
            if not isinstance(key, EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
                raise ValueError("the key and the certificate do not belong together")
        except (OSError, ValueError) as error:
            raise CertificatesDamaged(
                f"cannot use the certificate authority in {files.folder}: {error}",
                hint=f"remove {files.folder}: the next start creates another one, which clients have to trust",
            ) from error
        return cls(certificate, key)

    def sign(
        self,
        path: Path,
        key_path: Path,
        hosts: Sequence[str],
        purpose: ObjectIdentifier,
        begin: dt.datetime,
        end: dt.datetime,
    ) -> None:
        """Write a new certificate and its private key."""
        key = x509.new_key()
        builder = x509.builder(hosts[0], key, begin, end).issuer_name(self._certificate.subject)
        builder = x509.with_usage(builder, authority=False)
        builder = x509.for_hosts(builder, hosts, purpose, self._key)
        write_private(key_path, x509.key_text(key))
        write_private(path, x509.text(x509.signed(builder, self._key)))


def _is_current(path: Path, now: dt.datetime) -> bool:
    """Whether a certificate is valid for a tenth of its lifetime at least."""
    from cryptography.x509 import load_pem_x509_certificate

    try:
        certificate = load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError):
        return False
    return certificate.not_valid_after_utc - now > LIFETIME / 10
