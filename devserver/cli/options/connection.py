"""The options that choose a server: one of your devserver instances, or any other."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import click

from ...client.codec_options import AUTH, ENDPOINT
from ...client.connection import FLAGS, Connection
from ...system.redact import mask
from .environment import EnvironmentOption


def _option(field: str, *names: str, **values: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    flags = (FLAGS.get(field) or "--" + field.replace("_", "-"), *names)
    return click.option(*flags, field, cls=EnvironmentOption, show_envvar=True, **values)


_OPTIONS = (
    _option("name", metavar="NAME", envvar="DEVSERVER_NAME", literal="default", help="Name of the devserver instance."),
    _option("address", metavar="HOST:PORT", envvar="TEMPORAL_ADDRESS", help="Connect to this server instead."),
    _option("namespace", "-n", metavar="NAME", envvar="TEMPORAL_NAMESPACE", help="Namespace to use."),
    _option("profile", metavar="NAME", envvar="TEMPORAL_PROFILE", help="Client profile to connect with."),
    _option("api_key", metavar="KEY", envvar="TEMPORAL_API_KEY", help="API key. Prefer the environment variable."),
    click.option(
        "--tls/--no-tls",
        default=None,
        cls=EnvironmentOption,
        envvar="TEMPORAL_TLS",
        show_envvar=True,
        help="Connect with or without TLS.",
    ),
    _option(
        "tls_server_name",
        metavar="NAME",
        envvar="TEMPORAL_TLS_SERVER_NAME",
        help="Host name in the server's certificate.",
    ),
    _option(
        "tls_server_ca_cert_path",
        metavar="FILE",
        envvar="TEMPORAL_TLS_SERVER_CA_CERT_PATH",
        help="CA certificate of the server.",
    ),
    _option(
        "tls_client_cert_path",
        metavar="FILE",
        envvar="TEMPORAL_TLS_CLIENT_CERT_PATH",
        help="Client certificate (mutual TLS).",
    ),
    _option("tls_client_key_path", metavar="FILE", envvar="TEMPORAL_TLS_CLIENT_KEY_PATH", help="Client private key."),
    click.option(
        "--tls-disable-host-verification",
        is_flag=True,
        default=None,
        help="Accept a trusted certificate of another host name.",
    ),
    click.option("--grpc-meta", multiple=True, metavar="KEY=VALUE", help="Header of each gRPC request. Repeatable."),
    _option("codec_endpoint", metavar="URL", envvar=ENDPOINT, help="Codec server that decodes values."),
    _option("codec_auth", metavar="TEXT", envvar=AUTH, help="Authorization header for the codec server."),
    click.option("--codec-header", multiple=True, metavar="KEY=VALUE", help="Header for the codec server. Repeatable."),
)
_SECRET = ("api_key", "codec_auth", "codec_header", "grpc_meta")
_NAMES = tuple(Connection.__dataclass_fields__)


def connection_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options; the command gets them as one `connection`."""

    @functools.wraps(function)
    def with_connection(*args: Any, **values: Any) -> Any:
        own = {name: value for name, value in values.items() if name not in _NAMES}
        return function(*args, connection=connection_of(values), **own)

    for option in reversed(_OPTIONS):
        with_connection = option(with_connection)
    return with_connection


def connection_of(values: Mapping[str, Any]) -> Connection:
    """The options as a record, by the values of a command's parameters; while a shell completes, some are missing."""
    given: dict[str, Any] = {}
    for name in _NAMES:
        value = values.get(name)
        if value is not None:
            given[name] = tuple(value) if isinstance(value, list) else value
    return Connection(**given)


def words_of(connection: Connection) -> list[str]:
    """The options as they were given, for a command that a message suggests; secrets are left out."""
    words: list[str] = []
    for name in _NAMES:
        value = getattr(connection, name)
        if value is None or name in _SECRET or (isinstance(value, str) and mask(value) != value):
            continue
        flag = FLAGS.get(name) or "--" + name.replace("_", "-")
        words += [flag if value else "--no-tls"] if isinstance(value, bool) else [flag, value]
    return words


def trace_words(connection: Connection, workflow_id: str, run_id: str = "") -> list[str]:
    """`devserver trace` of a workflow on the same server, for a message that suggests it."""
    run = ["--run-id", run_id] if run_id else []
    named = [*run, "--", workflow_id] if workflow_id.startswith("-") else [workflow_id, *run]
    return ["devserver", "trace", *words_of(connection), *named]
