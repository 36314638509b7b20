"""The keywords of `DevServer.start`, typed, and what they mean as options of a server and an executable."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from ..config.server_options import ServerOptions
from ..config.sizes import parse_size
from ..errors import OptionError

if TYPE_CHECKING:
    from ..executables.models import BinaryRequest
    from ..system.progress import Reporter


class ServerKeywords(TypedDict, total=False):
    """Every option of `devserver up`, typed. Omitted keywords have the default of the command.

    `dynamic_config` maps a key to a value that JSON can represent, `search_attributes` a name to a type such as
    `Keyword`, `sqlite_pragmas` a pragma to its value. `ephemeral_size` is in bytes, or a text such as `1GiB`.
    `pause_schedules` pauses all schedules of an existing database before they can act. `timeout` limits the start, in
    seconds.
    """

    version: str
    binary: str | os.PathLike[str]
    source: str
    offline: bool
    base_url: str
    require_pinned: bool
    accept_sha256: str
    port: int
    http_port: int
    ui_port: int
    metrics_port: int
    ui: bool
    namespaces: Sequence[str]
    search_attributes: Mapping[str, str]
    dynamic_config: Mapping[str, Any]
    tuning: str
    database: str | os.PathLike[str]
    ephemeral: bool
    ephemeral_size: int | str
    durable: bool
    upgrade: bool
    retention: timedelta
    bind: str
    allow_remote: bool
    log_level: str
    log_format: str
    log_config: bool
    ui_codec_endpoint: str
    ui_ip: str
    ui_public_path: str
    ui_asset_path: str | os.PathLike[str]
    sqlite_pragmas: Mapping[str, str]
    tls: bool
    tls_port: int
    tls_client_auth: bool
    tls_hostnames: Sequence[str]
    tls_expired: bool
    api_key: str
    pause_schedules: bool
    timeout: float


class StartKeywords(ServerKeywords, total=False):
    """The keywords of `DevServer.start` and `DevServer.start_async`.

    `detach` starts a server that runs until it is stopped: this process does not hold it. `linger` is the time for
    which a server runs after its last lease (default 0). `reporter` receives notes, warnings and download progress.
    """

    detach: bool
    linger: timedelta
    reporter: Reporter | None


BINARY_KEYWORDS = ("version", "binary", "source", "offline", "base_url", "require_pinned", "accept_sha256")


def binary_request(keywords: Mapping[str, Any]) -> BinaryRequest:
    """The request for an executable: the keywords, then the environment, then pyproject.toml.

    Raises:
        OptionError: A setting has an invalid value.
    """
    from ..config.settings import Settings
    from ..executables import BinaryRequest

    binary = keywords.get("binary")
    return BinaryRequest.of(Settings.load(), **{**keywords, "binary": None if binary is None else Path(binary)})


def server_options(keywords: Mapping[str, Any]) -> ServerOptions:
    """The server's options.

    Raises:
        OptionError: A keyword is unknown, or its value is invalid.
    """
    try:
        return ServerOptions(**{key: _CONVERTERS.get(key, _unchanged)(value) for key, value in keywords.items()})
    except (TypeError, ValueError, AttributeError) as error:
        raise OptionError(
            f"a keyword of DevServer.start is unknown or has the wrong type: {error}",
            hint="devserver.ServerKeywords lists the keywords",
        ) from error


def _unchanged(value: Any) -> Any:
    return value


def _texts(value: Sequence[str]) -> tuple[str, ...]:
    if isinstance(value, str):
        raise TypeError(f"{value!r} is a string, not a list of strings")
    return tuple(value)


# From the value of a keyword to the option of the same name.
_CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "namespaces": _texts,
    "tls_hostnames": _texts,
    "search_attributes": lambda value: tuple(dict(value).items()),
    "dynamic_config": lambda value: tuple((key, json.dumps(setting)) for key, setting in dict(value).items()),
    "ephemeral_size": lambda value: parse_size(value, "ephemeral_size"),
    "retention": lambda value: int(value.total_seconds()),
    "database": Path,
    "ui_asset_path": Path,
    "sqlite_pragmas": lambda value: tuple(dict(value).items()),
}
