"""The TLS port of an instance: its certificates, its API key, and what a client needs for it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..config.server_options import LOOPBACK, ServerOptions
from ..config.tls_options import GENERATED, STORED
from ..errors import PortLost, PortTaken, StartFailed
from ..network.certificates import CertificateFiles, issue
from ..server.command_line import Ports
from ..system.files import write_private
from ..system.ports import bracketed, client_host, port_taken
from .folder import InstanceFolder
from .record import Record

if TYPE_CHECKING:
    from ..network.tls_front import TlsFront

API_KEY = "api-key"
KEY_BYTES = 24


@dataclass(frozen=True)
class TlsAccess:
    """What a client of the TLS port needs.

    Attributes:
        address: `host:port`.
        ca: The certificate of the CA that issued the server's certificate.
        client_cert: The client's certificate, for mutual TLS; None if the server asks for none.
        client_key: Its private key.
        api_key: The API key; None if calls need none.
    """

    address: str
    ca: Path
    client_cert: Path | None
    client_key: Path | None
    api_key: str | None

    def settings(self) -> dict[str, str]:
        """The connection as settings of Temporal's client configuration, named as in a profile of its file."""
        values = {
            "address": self.address,
            "tls.server_ca_cert_path": self.ca,
            "tls.client_cert_path": self.client_cert,
            "tls.client_key_path": self.client_key,
            "api_key": self.api_key,
        }
        return {name: str(value) for name, value in values.items() if value is not None}

    def variables(self) -> dict[str, str]:
        """The connection as environment variables."""
        values = {f"TEMPORAL_{name.upper().replace('.', '_')}": value for name, value in self.settings().items()}
        return {"TEMPORAL_ADDRESS": values.pop("TEMPORAL_ADDRESS"), "TEMPORAL_TLS": "true", **values}

    def to_json(self) -> dict[str, Any]:
        """The access as `status --json` shows it: not the API key, but whether calls need one."""
        return {
            "address": self.address,
            "ca": str(self.ca),
            "client_cert": str(self.client_cert) if self.client_cert else None,
            "client_key": str(self.client_key) if self.client_key else None,
            "api_key": self.api_key is not None,
        }


def prepare_tls(folder: InstanceFolder, options: ServerOptions) -> ServerOptions:
    """Create the certificates and the API key of an instance, if its options ask for TLS.

    Returns:
        The options without the API key: it is in a file of its own, and in no record.

    Raises:
        TlsMissing: The extra `tls` is not installed.
        CertificatesDamaged: The files of the CA cannot be used.
    """
    if not options.serves_tls:
        return options
    hosts = dict.fromkeys(("localhost", LOOPBACK, "::1", *options.tls_hostnames))
    issue(folder.tls, tuple(hosts), expired=options.tls_expired)
    key = folder.tls / API_KEY
    if options.api_key is None:
        key.unlink(missing_ok=True)
    elif options.api_key not in (GENERATED, STORED):
        write_private(key, options.api_key)
        return replace(options, api_key=STORED)
    elif not stored_key(folder):
        write_private(key, secrets.token_urlsafe(KEY_BYTES))
    return options


def serve_tls(folder: InstanceFolder, options: ServerOptions, ports: Ports) -> TlsFront:
    """Listen on the TLS port of a server that is ready.

    Raises:
        PortTaken: Another process took the port meanwhile.
        StartFailed: Calls need an API key, and its file is gone.
    """
    from ..network.tls_front import TlsFront

    port = ports.tls or 0
    context = CertificateFiles(folder.tls).server_context(client_auth=options.tls_client_auth)
    target = (client_host(options.bind), ports.grpc)
    key = stored_key(folder) if options.api_key is not None else None
    if options.api_key is not None and key is None:  # never serve without the key
        raise StartFailed(
            f"cannot read the API key in {folder.tls / API_KEY}", hint="give it again with --api-key, or leave that out"
        )
    try:
        return TlsFront(options.bind, port, target=target, context=context, api_key=key)
    except OSError as error:
        kind = PortTaken if options.tls_port == port else PortLost
        raise port_taken(options.bind, port, "--tls-port", error.strerror or str(error), kind) from error


def tls_access(folder: InstanceFolder, record: Record) -> TlsAccess | None:
    """What a client of the instance's TLS port needs; None without TLS."""
    if record.ports.tls is None:
        return None
    files, options = CertificateFiles(folder.tls), record.options
    return TlsAccess(
        address=f"{bracketed(record.host)}:{record.ports.tls}",
        ca=files.ca,
        client_cert=files.client if options.tls_client_auth else None,
        client_key=files.client_key if options.tls_client_auth else None,
        api_key=stored_key(folder) if options.api_key is not None else None,
    )


def stored_key(folder: InstanceFolder) -> str | None:
    """The API key of an instance; None if it has none."""
    try:
        return (folder.tls / API_KEY).read_text(encoding="ascii").strip() or None
    except (OSError, UnicodeDecodeError):
        return None
