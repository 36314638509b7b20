"""What a server's TLS port runs with."""

from __future__ import annotations

from .environment import setting_option

TLS_OPTIONS = (
    setting_option(
        "--tls/--no-tls",
        key="tls",
        default=None,
        help="Serve gRPC over TLS on a second port, or not (see: devserver docs tls).",
    ),
    setting_option(
        "--tls-port",
        key="tls-port",
        type=int,
        metavar="PORT",
        show_default="the gRPC port + 2000 if free, reused on restart",
        help="Port of gRPC over TLS; 0 is any free port.",
    ),
    setting_option(
        "--tls-client-auth/--no-tls-client-auth",
        key="tls-client-auth",
        default=None,
        help="Require client certificates over TLS (mutual TLS), or not.",
    ),
    setting_option(
        "--tls-hostname",
        "tls_hostnames",
        key="tls-hostnames",
        multiple=True,
        metavar="NAME",
        help="Further host name of the certificate. Repeatable.",
    ),
    setting_option(
        "--tls-expired/--no-tls-expired",
        key="tls-expired",
        default=None,
        help="Use a certificate that has expired, or not, to see how clients fail.",
    ),
    setting_option(
        "--api-key",
        key="api-key",
        metavar="KEY",
        help="API key that calls over TLS need; `generated` creates one. Prefer the environment variable.",
    ),
)
