"""What a server runs with: our options and those of `temporal server start-dev`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from ...config.server_options import LOG_FORMATS, LOG_LEVELS, LOOPBACK
from ...config.tuning import TUNINGS
from .environment import setting_option
from .tls import TLS_OPTIONS

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    setting_option(
        "--port",
        "-p",
        key="port",
        type=int,
        metavar="PORT",
        show_default="7233; for another --name a free port, reused on restart",
        help="gRPC port; 0 is any free port.",
    ),
    setting_option(
        "--http-port",
        key="http-port",
        type=int,
        metavar="PORT",
        show_default="a free port, reused on restart",
        help="Port of the HTTP API, which otherwise answers only devserver; 0 is any free port.",
    ),
    setting_option(
        "--ui-port",
        key="ui-port",
        type=int,
        metavar="PORT",
        show_default="the gRPC port + 1000 if free, reused on restart",
        help="Port of the Web UI.",
    ),
    setting_option(
        "--metrics-port",
        key="metrics-port",
        type=int,
        metavar="PORT",
        show_default="a free port, reused on restart",
        help="Port of Prometheus metrics.",
    ),
    setting_option("--ui/--no-ui", " /--headless", key="ui", default=None, help="Serve the Web UI, or not."),
    setting_option(
        "--ui-codec-endpoint",
        key="ui-codec-endpoint",
        metavar="URL",
        help="Codec server for the Web UI (devserver payloads serve).",
    ),
    setting_option("--ui-ip", key="ui-ip", metavar="ADDR", show_default="as --ip", help="IP address of the Web UI."),
    setting_option(
        "--ui-public-path",
        key="ui-public-path",
        metavar="PATH",
        literal="/",
        help="Path of the Web UI behind a reverse proxy.",
    ),
    setting_option(
        "--ui-asset-path",
        key="ui-asset-path",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        metavar="DIR",
        help="Assets of the Web UI to serve instead of the built-in ones.",
    ),
    click.option("--ui-disable-news-fetch", "news_off", is_flag=True, hidden=True, help="It is always disabled."),
    setting_option(
        "--namespace",
        "-n",
        "namespaces",
        key="namespaces",
        multiple=True,
        metavar="NAME",
        help="Namespace to create. Repeatable.",
    ),
    setting_option(
        "--search-attribute",
        "search_attributes",
        key="search-attributes",
        multiple=True,
        metavar="NAME=TYPE",
        help="Search attribute to create in each namespace. Repeatable.",
    ),
    setting_option(
        "--dynamic-config-value",
        "--dynamic-config",
        "dynamic_config",
        key="dynamic-config",
        multiple=True,
        metavar="KEY=JSON",
        help="Dynamic configuration value. Repeatable.",
    ),
    setting_option(
        "--tuning",
        key="tuning",
        type=click.Choice(list(TUNINGS)),
        literal="fast",
        help="Preset of dynamic configuration.",
    ),
    setting_option(
        "--db-filename",
        "--db",
        "-f",
        "database",
        key="db-filename",
        type=click.Path(path_type=Path),
        metavar="PATH",
        show_default="the instance's own file",
        help="Database file.",
    ),
    setting_option(
        "--ephemeral/--no-ephemeral", key="ephemeral", default=None, help="Keep no state on disk (fastest), or keep it."
    ),
    setting_option(
        "--ephemeral-size",
        key="ephemeral-size",
        metavar="SIZE",
        show_default="half of what is free, up to 4GiB",
        help="Largest size of the database with --ephemeral, as 1GiB.",
    ),
    setting_option(
        "--durable/--no-durable",
        key="durable",
        default=None,
        help="Survive power loss, or not: SQLite writes with synchronous=FULL.",
    ),
    setting_option(
        "--sqlite-pragma",
        "sqlite_pragmas",
        key="sqlite-pragmas",
        multiple=True,
        metavar="PRAGMA=VALUE",
        help="SQLite pragma of the server's connections. Repeatable.",
    ),
    setting_option(
        "--upgrade/--no-upgrade",
        key="upgrade",
        default=None,
        help="Upgrade the database of an older server, or refuse it.",
    ),
    setting_option(
        "--retention",
        key="retention",
        metavar="TIME",
        literal="30d",
        help="How long to keep closed workflows, as 30d or 12h.",
    ),
    setting_option(
        "--ip", "--bind", "bind", key="ip", metavar="ADDR", literal=LOOPBACK, help="IP address to listen on."
    ),
    setting_option(
        "--allow-remote/--no-allow-remote",
        key="allow-remote",
        default=None,
        help="Allow --ip to open the server to the network, or not.",
    ),
    setting_option(
        "--log-level",
        key="log-level",
        type=click.Choice(LOG_LEVELS),
        literal="warn",
        help="What the server logs.",
    ),
    setting_option(
        "--log-format",
        key="log-format",
        type=click.Choice(LOG_FORMATS),
        literal="text",
        help="Format of the server's log.",
    ),
    setting_option(
        "--log-config/--no-log-config",
        key="log-config",
        default=None,
        help="Log the server's configuration when it starts, or not.",
    ),
)
# Options of the Temporal CLI that configure its client, which `start-dev` takes and has no use for.
_CLIENT_OPTIONS = {
    "--env": "it selects settings of a client, and the server reads none",
    "--env-file": "it holds settings of a client, and the server reads none",
    "--config-file": "it holds settings of a client, and the server reads none",
    "--disable-config-file": "the server reads no settings of a client, so leave it out",
    "--disable-config-env": "the server reads no settings of a client, so leave it out",
    "--client-connect-timeout": "use --timeout, which limits the start of the server",
    "--command-timeout": "use --timeout, which limits the start of the server",
    "--color": "use NO_COLOR=1 to turn colors off",
    "--output": "use --json",
    "-o": "use --json",
    "--time-format": "times are always in UTC, so leave it out",
    "--no-json-shorthand-payloads": "it prints no payloads, so leave it out",
    "--address": "the server listens on --ip and --port",
    "--identity": "it is the name of a client, so leave it out",
}


def server_options(function: F) -> F:
    """Add the options of a server; `server_values.make_options` reads them."""
    for option in reversed((*_OPTIONS, *TLS_OPTIONS)):
        function = option(function)
    for name, reason in _CLIENT_OPTIONS.items():
        function = click.option(
            name,
            f"refused_{name.strip('-').replace('-', '_')}",
            is_flag=False,
            flag_value="",
            hidden=True,
            expose_value=False,
            help=f"{reason[0].upper()}{reason[1:]}.",
            callback=_refuse(name, reason),
        )(function)
    return function


def _refuse(name: str, reason: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def callback(ctx: click.Context, _: click.Parameter, value: Any) -> None:
        if value is not None:
            raise click.UsageError(f"`devserver up` does not take {name}: {reason}.", ctx)

    return callback
