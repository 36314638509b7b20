"""The options by which any command says which server it asks: a managed instance, or any other."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import click

from ...client.target import Connection

_OPTIONS = (
    click.option("--name", metavar="NAME", help="Ask this managed instance. [DEVSERVER_NAME, else default]"),
    click.option("--address", metavar="HOST:PORT", help="Ask any other server. [TEMPORAL_ADDRESS]"),
    click.option("--namespace", "-n", metavar="NAME", help="Its namespace. [TEMPORAL_NAMESPACE]"),
    click.option("--profile", metavar="NAME", help="Ask the server of a client profile. [TEMPORAL_PROFILE]"),
    click.option("--api-key", metavar="KEY", help="Better kept in the environment. [TEMPORAL_API_KEY]"),
    click.option("--tls/--no-tls", default=None, help="Use TLS, or do not. [TEMPORAL_TLS]"),
    click.option("--tls-server-name", metavar="NAME", help="The name in the server's certificate."),
    click.option("--tls-server-ca-cert-path", metavar="FILE", help="The CA that signed it."),
    click.option("--tls-client-cert-path", metavar="FILE", help="Our certificate, for mutual TLS."),
    click.option("--tls-client-key-path", metavar="FILE", help="Its key."),
)
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
    """What the options say, by the values of a command's parameters; while a shell completes, some are not there."""
    return Connection(**{name: values.get(name) for name in _NAMES})


def words_of(said: Connection) -> list[str]:
    """The options as they were given, for a command that is offered next; a key stays in the environment."""
    words: list[str] = []
    for name in _NAMES:
        value = getattr(said, name)
        flag = "--" + name.replace("_", "-")
        if value is None or name == "api_key":
            continue
        words += [flag if value else "--no-tls"] if isinstance(value, bool) else [flag, value]
    return words


def trace_words(said: Connection, workflow_id: str, run_id: str = "") -> list[str]:
    """`devserver trace` of a workflow on the same server, for a command that is offered next."""
    run = ["--run-id", run_id] if run_id else []
    named = [*run, "--", workflow_id] if workflow_id.startswith("-") else [workflow_id, *run]
    return ["devserver", "trace", *words_of(said), *named]
