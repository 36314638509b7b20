"""A client whose settings do not fit the server: the error names what does not fit, on real connections."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from devserver.client.connection import Connection
from devserver.client.target import connect, find_target
from devserver.errors import CannotAsk
from tests.helpers.shared_server import SharedServer
from tests.helpers.tls_proxy import NAME, make_certificates, tls_proxy

STARTS_TLS = "connect without TLS (an API key turns TLS on), or check the port"


def refused(**options: object) -> CannotAsk:
    """Return the error of a connection with these options."""
    target = find_target(Connection(**options), {})  # type: ignore[arg-type] # each call has its own options
    with pytest.raises(CannotAsk) as caught:
        asyncio.run(connect(target))
    return caught.value


def test_settings_that_do_not_fit_the_server(server: SharedServer, tmp_path: Path) -> None:
    """TLS to a plain port, an API key, a plain client to TLS, a missing client certificate, an unknown CA, another
    name, a port of HTTP, and nobody at all: each has its own cause and way out.
    """
    certificates = make_certificates(tmp_path / "tls")
    ca, other = certificates.path("ca.pem"), certificates.path("other-ca.pem")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        for options in ({"tls": True}, {"api_key": "secret"}):
            error = refused(address=server.address, **options)
            assert error.message == f"cannot connect to {server.address}: it answers without TLS"
            assert error.hint == STARTS_TLS
        nobody = refused(address=f"127.0.0.1:{unused.getsockname()[1]}")
        assert nobody.message.endswith(": Connection refused")
        assert nobody.hint == "check the address, and that the server is running"
        http = refused(address=server.server.http_url.removeprefix("http://"))
        assert "check the port" in (http.hint or "")
        with tls_proxy(server.address, certificates) as address:
            plain = refused(address=address)
            unknown = refused(address=address, tls_server_ca_cert_path=other, tls_server_name=NAME)
            name = refused(address=address, tls_server_ca_cert_path=ca, tls_server_name="other.test")
            elsewhere = Connection(
                address=address, tls_server_ca_cert_path=ca, tls_server_name="other", tls_disable_host_verification=True
            )
            asyncio.run(connect(find_target(elsewhere, {})))  # its certificate is trusted: the name does not matter
            stranger = refused(address=address, tls_server_ca_cert_path=other, tls_disable_host_verification=True)
        with tls_proxy(server.address, certificates, clients=True) as address:
            anonymous = refused(address=address, tls_server_ca_cert_path=ca, tls_server_name=NAME)
    for closed in (plain, anonymous):
        assert closed.message.endswith(": it closes the connection")
        assert "requires TLS or a client certificate" in (closed.hint or "")
    assert unknown.message.endswith(": this client does not trust the issuer of its certificate")
    assert "certificate" in stranger.message
    assert name.message.endswith(": its certificate is not for the name other.test")
