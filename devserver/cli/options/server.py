"""What a server runs with: our options and those of `temporal server start-dev`, over the project's settings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from ...config.durations import parse_duration
from ...config.option_values import parse_pair
from ...config.server_options import DEFAULT_RETENTION, LOG_FORMATS, LOG_LEVELS, LOOPBACK, ServerOptions
from ...config.settings import Settings
from ...config.sizes import parse_size
from ...config.tuning import TUNINGS
from ...errors import OptionError
from .environment import DefaultOption, setting_option

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
    click.option(
        "--http-port",
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
    click.option(
        "--metrics-port",
        type=int,
        metavar="PORT",
        show_default="a free port, reused on restart",
        help="Port of Prometheus metrics.",
    ),
    click.option("--no-ui", "--headless", "no_ui", is_flag=True, help="Do not serve the Web UI."),
    click.option("--ui-codec-endpoint", metavar="URL", help="Codec server for the Web UI (devserver payloads serve)."),
    click.option("--ui-ip", metavar="ADDR", show_default="as --ip", help="IP address of the Web UI."),
    click.option(
        "--ui-public-path",
        metavar="PATH",
        cls=DefaultOption,
        literal="/",
        help="Path of the Web UI behind a reverse proxy.",
    ),
    click.option(
        "--ui-asset-path",
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
    click.option(
        "--dynamic-config-value",
        "--dynamic-config",
        "dynamic_config",
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
    click.option(
        "--db-filename",
        "--db",
        "-f",
        "database",
        type=click.Path(path_type=Path),
        metavar="PATH",
        show_default="the instance's own file",
        help="Database file.",
    ),
    click.option("--ephemeral", is_flag=True, help="Keep no state on disk; fastest."),
    setting_option(
        "--ephemeral-size",
        key="ephemeral-size",
        metavar="SIZE",
        show_default="half of what is free, up to 4GiB",
        help="Largest size of the database with --ephemeral, as 1GiB.",
    ),
    click.option("--durable", is_flag=True, help="Survive power loss: SQLite writes with synchronous=FULL."),
    click.option(
        "--sqlite-pragma",
        "sqlite_pragmas",
        multiple=True,
        metavar="PRAGMA=VALUE",
        help="SQLite pragma of the server's connections. Repeatable.",
    ),
    click.option("--no-upgrade", is_flag=True, help="Refuse the database of an older server instead of upgrading it."),
    setting_option(
        "--retention",
        key="retention",
        metavar="TIME",
        literal="30d",
        help="How long to keep closed workflows, as 30d or 12h.",
    ),
    click.option(
        "--ip", "--bind", "bind", metavar="ADDR", cls=DefaultOption, literal=LOOPBACK, help="IP address to listen on."
    ),
    click.option("--allow-remote", is_flag=True, help="Allow --ip to open the server to the network."),
    click.option(
        "--log-level", type=click.Choice(LOG_LEVELS), cls=DefaultOption, literal="warn", help="What the server logs."
    ),
    click.option(
        "--log-format",
        type=click.Choice(LOG_FORMATS),
        cls=DefaultOption,
        literal="text",
        help="Format of the server's log.",
    ),
    click.option("--log-config", is_flag=True, help="Log the server's configuration when it starts."),
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
    "--api-key": "a dev server has no authentication, so leave it out",
    "--tls": "a dev server has no TLS, so leave it out",
    "--identity": "it is the name of a client, so leave it out",
}


def server_options(function: F) -> F:
    """Add the options of a server; `make_options` reads them."""
    for option in reversed(_OPTIONS):
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


def make_options(values: dict[str, Any], settings: Settings) -> tuple[ServerOptions, frozenset[str]]:
    """The options from flags over the project's settings, and which of them were given as flags."""
    given = _given(values)
    explicit = frozenset(given)
    if "retention" in given:
        given["retention"] = parse_duration(given["retention"], "--retention")
    if "ephemeral_size" in given:
        given["ephemeral_size"] = parse_size(given["ephemeral_size"], "--ephemeral-size")
        if "ephemeral" not in given:
            raise OptionError("--ephemeral-size bounds the database of --ephemeral", hint="add --ephemeral")
    return ServerOptions(**{**_from_settings(settings), **given}), explicit


def _given(values: dict[str, Any]) -> dict[str, Any]:
    given = {key: value for key, value in values.items() if value is not None and value is not False and value != ()}
    given.pop("news_off", None)
    for negated, name in (("no_ui", "ui"), ("no_upgrade", "upgrade")):
        if given.pop(negated, False):
            given[name] = False
    for key, option, form, example in (
        ("search_attributes", "--search-attribute", "NAME=TYPE", "Customer=Keyword"),
        ("dynamic_config", "--dynamic-config-value", "KEY=JSON", "limit.maxIDLength=255"),
        ("sqlite_pragmas", "--sqlite-pragma", "PRAGMA=VALUE", "cache_size=-64000"),
    ):
        if key in given:
            given[key] = tuple(parse_pair(text, option, form, example) for text in given[key])
    for key in ("bind", "ui_ip"):
        if given.get(key) == "localhost":
            given[key] = LOOPBACK
    return given


def _from_settings(settings: Settings) -> dict[str, Any]:
    attributes = settings.search_attributes
    values = {
        "tuning": settings.tuning,
        "port": settings.port,
        "ui_port": settings.ui_port,
        "namespaces": settings.namespaces,
        "ephemeral_size": None
        if settings.ephemeral_size is None
        else parse_size(settings.ephemeral_size, "ephemeral-size"),
        "search_attributes": None if attributes is None else tuple(attributes.items()),
        "retention": DEFAULT_RETENTION
        if settings.retention is None
        else parse_duration(settings.retention, "retention"),
    }
    return {key: value for key, value in values.items() if value is not None}
