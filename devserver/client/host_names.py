"""Connects to a server whose certificate has another host name, as behind a tunnel: the certificate must be trusted."""

from __future__ import annotations

import asyncio
import dataclasses
import ssl
import tempfile
from pathlib import Path

from temporalio.service import TLSConfig

from ..errors import OptionError
from .call_errors import unreachable

SECONDS = 10.0


async def named_by_server(address: str, tls: TLSConfig | bool | None) -> TLSConfig | bool | None:
    """The TLS options with the host name that the server's own certificate has.

    Raises:
        OptionError: The connection has no TLS.
        CannotAsk: The server does not answer, or its certificate is not trusted.
    """
    if not tls:
        raise OptionError(
            "--tls-disable-host-verification is for connections with TLS", hint="add --tls, or leave it out"
        )
    config = tls if isinstance(tls, TLSConfig) else TLSConfig()
    host, _, port = address.rpartition(":")
    try:
        name = await asyncio.wait_for(_host_name(host, int(port), config), SECONDS)
    except (OSError, ValueError, asyncio.TimeoutError) as error:
        raise unreachable(address, str(error) or "no answer") from None
    return dataclasses.replace(config, domain=name) if name else config


async def _host_name(host: str, port: int, config: TLSConfig) -> str:
    context = ssl.create_default_context()
    context.check_hostname = False
    if config.server_root_ca_cert is not None:
        context.load_verify_locations(cadata=config.server_root_ca_cert.decode("ascii"))
    if config.client_cert is not None and config.client_private_key is not None:
        with tempfile.TemporaryDirectory() as folder:
            chain = Path(folder) / "client.pem"
            chain.touch(mode=0o600)
            chain.write_bytes(config.client_cert + b"\n" + config.client_private_key)
            context.load_cert_chain(chain)
    context.set_alpn_protocols(["h2"])
    _, writer = await asyncio.open_connection(host, port, ssl=context)
    try:
        certificate = writer.get_extra_info("peercert") or {}
    finally:
        writer.close()
    names = [value for kind, value in certificate.get("subjectAltName", ()) if kind in ("DNS", "IP Address")]
    return next((name.replace("*", "any") for name in names), "")
