"""From the options of a server and the project's settings to `ServerOptions`: flags win over settings."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from ...config.durations import parse_duration
from ...config.option_values import parse_pair
from ...config.server_options import DEFAULT_RETENTION, LOOPBACK, ServerOptions
from ...config.settings import Settings, field_of
from ...config.sizes import parse_size
from ...config.tls_options import TLS_OPTIONS
from ...errors import OptionError

# Options that exclude each other: one that is given as a flag is used in place of these settings.
_EXCLUDES = {"database": ("ephemeral",), "durable": ("ephemeral",), "ephemeral": ("database", "durable")}


def make_options(values: dict[str, Any], settings: Settings) -> tuple[ServerOptions, frozenset[str]]:
    """The options from flags over the project's settings, and which of them were given as flags.

    Raises:
        OptionError: A value is invalid, or values contradict each other.
        UntrustedSettings: A setting of a file that the user has not trusted would open the server.
    """
    given = _given(values)
    if settings.untrusted:
        _refuse_untrusted(settings, given)
    explicit = frozenset(given)
    if "retention" in given:
        given["retention"] = parse_duration(given["retention"], "--retention")
    if "ephemeral_size" in given:
        given["ephemeral_size"] = parse_size(given["ephemeral_size"], "--ephemeral-size")
    found = _from_settings(settings)
    for name, others in _EXCLUDES.items():
        if given.get(name):
            found = {key: value for key, value in found.items() if key not in others}
    if given.get("tls") is False:
        found = {key: value for key, value in found.items() if key not in TLS_OPTIONS}
    if "ephemeral_size" in given and not {**found, **given}.get("ephemeral"):
        raise OptionError("--ephemeral-size bounds the database of --ephemeral", hint="add --ephemeral")
    return ServerOptions(**{**found, **given}), explicit


def _refuse_untrusted(settings: Settings, given: Mapping[str, Any]) -> None:
    """Refuse the untrusted settings of the server that no flag replaces."""
    from ...config.trust import EXECUTED, refuse_untrusted

    keys = {
        key: value
        for key, value in settings.untrusted.items()
        if key not in EXECUTED and _OPTION_OF.get(key, field_of(key)) not in given
    }
    refuse_untrusted(settings.file, keys, "opens the server or its data to others")


def _given(values: dict[str, Any]) -> dict[str, Any]:
    given = {key: value for key, value in values.items() if value is not None and value != ()}
    given.pop("news_off", None)
    for key, option, form, example in (
        ("search_attributes", "--search-attribute", "NAME=TYPE", "Customer=Keyword"),
        ("dynamic_config", "--dynamic-config-value", "KEY=JSON", "limit.maxIDLength=255"),
        ("sqlite_pragmas", "--sqlite-pragma", "PRAGMA=VALUE", "cache_size=-64000"),
    ):
        if key in given:
            given[key] = tuple(parse_pair(text, option, form, example) for text in given[key])
    return _with_loopback(given)


# Settings that `ServerOptions` has under another name.
_OPTION_OF = {"db-filename": "database", "ip": "bind"}
_PLAIN: tuple[str, ...] = (
    *("port", "http-port", "ui-port", "metrics-port", "ui", "ui-codec-endpoint", "ui-ip", "ui-public-path"),
    *("ui-asset-path", "ip", "allow-remote", "namespaces", "tuning", "db-filename", "ephemeral", "durable"),
    *("upgrade", "log-level", "log-format", "log-config"),
    *("tls", "tls-port", "tls-client-auth", "tls-hostnames", "tls-expired", "api-key"),
)
_CONVERTED: dict[str, Callable[[Any], Any]] = {
    "ephemeral-size": lambda value: parse_size(value, "ephemeral-size"),
    "search-attributes": lambda value: tuple(value.items()),
    "sqlite-pragmas": lambda value: tuple(value.items()),
    "dynamic-config": lambda value: tuple((key, json.dumps(item)) for key, item in value.items()),
    "retention": lambda value: parse_duration(value, "retention"),
}


def _from_settings(settings: Settings) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key in (*_PLAIN, *_CONVERTED):
        name = field_of(key)
        value = getattr(settings, name)
        if value is not None:
            found[_OPTION_OF.get(key, name)] = _CONVERTED[key](value) if key in _CONVERTED else value
    return {"retention": DEFAULT_RETENTION, **_with_loopback(found)}


def _with_loopback(values: dict[str, Any]) -> dict[str, Any]:
    for key in ("bind", "ui_ip"):
        if values.get(key) == "localhost":
            values[key] = LOOPBACK
    return values
