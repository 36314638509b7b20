"""Options that several commands share: which instance, and what a server runs with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from ...config.server_options import (
    DEFAULT_NAME,
    DEFAULT_RETENTION,
    LOG_LEVELS,
    ServerOptions,
    parse_duration,
    parse_pair,
)
from ...config.settings import Settings
from ...config.tuning import TUNINGS
from .types import Number

F = TypeVar("F", bound=Callable[..., Any])

name_option = click.option(
    "--name",
    default=DEFAULT_NAME,
    show_default=True,
    metavar="NAME",
    help="Which instance.",
    envvar="DEVSERVER_NAME",
)
WATCH_SECONDS = 5.0


def watch_option(more: str = "") -> Callable[[F], F]:
    """`--watch [SECONDS]`; the command gets the seconds, None without it. `more`: what else it does, for the help."""
    return click.option(
        "--watch",
        "-w",
        is_flag=False,
        flag_value=str(WATCH_SECONDS),
        type=Number(min=0.1),
        metavar="[SECONDS]",
        help=f"Look again every {WATCH_SECONDS:g} (or so many) seconds until Ctrl-C{more}.",
    )


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON (see docs/json.md).")

_OPTIONS = (
    click.option("--port", type=int, metavar="PORT", help="gRPC port; 0 takes any free one. [7233, or any for --name]"),
    click.option("--http-port", type=int, metavar="PORT", help="Port of Temporal's HTTP API. [any free one]"),
    click.option("--ui-port", type=int, metavar="PORT", help="Port of the Web UI. [the gRPC port + 1000 if free]"),
    click.option("--metrics-port", type=int, metavar="PORT", help="Port for Prometheus. [any free one]"),
    click.option("--no-ui", is_flag=True, help="Serve no Web UI."),
    click.option(
        "--ui-codec-endpoint", metavar="URL", help="A codec server for the Web UI: see `devserver payloads serve`."
    ),
    click.option(
        "--namespace",
        "-n",
        "namespaces",
        multiple=True,
        metavar="NAME",
        help="Ensure a namespace; repeatable.",
    ),
    click.option(
        "--search-attribute",
        "search_attributes",
        multiple=True,
        metavar="NAME=TYPE",
        help="Ensure a search attribute in each namespace; repeatable.",
    ),
    click.option(
        "--dynamic-config",
        multiple=True,
        metavar="KEY=JSON",
        help="Set a dynamic configuration value; repeatable.",
    ),
    click.option("--tuning", type=click.Choice(list(TUNINGS)), help="Dynamic configuration by name. [fast]"),
    click.option(
        "--db",
        "database",
        type=click.Path(path_type=Path),
        metavar="PATH",
        help="Keep state in this file instead.",
    ),
    click.option("--ephemeral", is_flag=True, help="Keep nothing (and be fastest)."),
    click.option("--durable", is_flag=True, help="Survive power loss: SQLite writes with synchronous=FULL."),
    click.option("--no-upgrade", is_flag=True, help="Refuse an older server's database instead of upgrading it."),
    click.option("--retention", metavar="TIME", help="How long closed workflows are kept, as 30d or 12h. [30d]"),
    click.option("--bind", metavar="ADDR", help="Listen on this address. [127.0.0.1]"),
    click.option("--allow-remote", is_flag=True, help="Allow --bind to open the server to the network."),
    click.option("--log-level", type=click.Choice(LOG_LEVELS), help="How much the server logs. [warn]"),
)


def server_options(function: F) -> F:
    """Add the options of a server; `make_options` reads them."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def make_options(values: dict[str, Any], settings: Settings) -> tuple[ServerOptions, frozenset[str]]:
    """The options from flags over the project's settings, and which of them were given as flags."""
    given = _given(values)
    explicit = frozenset(given)
    if "retention" in given:
        given["retention"] = parse_duration(given["retention"], "--retention")
    return ServerOptions(**{**_from_settings(settings), **given}), explicit


def _given(values: dict[str, Any]) -> dict[str, Any]:
    given = {key: value for key, value in values.items() if value is not None and value is not False and value != ()}
    for negated, name in (("no_ui", "ui"), ("no_upgrade", "upgrade")):
        if given.pop(negated, False):
            given[name] = False
    for key, option, form in (
        ("search_attributes", "--search-attribute", "Name=Keyword"),
        ("dynamic_config", "--dynamic-config", "key=JSON"),
    ):
        if key in given:
            given[key] = tuple(parse_pair(text, option, form) for text in given[key])
    return given


def _from_settings(settings: Settings) -> dict[str, Any]:
    attributes = settings.search_attributes
    values = {
        "tuning": settings.tuning,
        "port": settings.port,
        "ui_port": settings.ui_port,
        "namespaces": settings.namespaces,
        "search_attributes": None if attributes is None else tuple(attributes.items()),
        "retention": DEFAULT_RETENTION
        if settings.retention is None
        else parse_duration(settings.retention, "retention"),
    }
    return {key: value for key, value in values.items() if value is not None}
