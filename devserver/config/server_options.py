"""What a server runs with: one frozen record, checked, and turned into the executable's command line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from ..errors import OptionError
from .addresses import LOOPBACK as LOOPBACK
from .addresses import check_addresses
from .option_values import IDENTIFIER, check_namespace, dynamic_value
from .tls_options import check_tls, used
from .tuning import TUNINGS

DEFAULT_PORT = 7233
DEFAULT_RETENTION = 30 * 86400
UI_PORT_OFFSET = 1000
TLS_PORT_OFFSET = 2000
SHORTEST_RETENTION = 3600
SEARCH_ATTRIBUTE_TYPES = ("Text", "Keyword", "Int", "Double", "Bool", "Datetime", "KeywordList")
SMALLEST_EPHEMERAL = 16 * 1024 * 1024  # an empty database with its write-ahead log has 6 MB
LOG_LEVELS = ("debug", "info", "warn", "error", "never")
LOG_FORMATS = ("text", "json")

_URL = re.compile(r"https?://[^\s/]+\S*\Z")


@dataclass(frozen=True)
class ServerOptions:
    """The options of one server, checked.

    Attributes:
        port: The gRPC port; None: 7233 for the instance `default`, else any free port. 0: any free port.
        http_port: The port of the HTTP API; 0: any free port. None: any free port, and it answers only devserver.
        ui_port: The port of the Web UI; None: `port` + 1000 if that is free. 0: any free port.
        metrics_port: The port of the Prometheus metrics; None or 0: any free port.
        ui: Whether the Web UI runs.
        namespaces: The namespaces to create; the first one is the clients' default.
        search_attributes: (name, type) of the search attributes of all namespaces.
        dynamic_config: (key, JSON text) of dynamic configuration values; they win over `tuning`.
        tuning: The name of a set of dynamic configuration values; see `tuning.TUNINGS`.
        database: The SQLite file; None: the instance's own.
        ephemeral: Whether the state is removed when the server ends.
        ephemeral_size: The largest size of an ephemeral database in bytes; None: half of what is free, up to 4 GiB.
        durable: Whether every write reaches the disk before it is acknowledged.
        upgrade: Whether the database of an older server is upgraded.
        retention: Seconds for which namespaces keep closed workflows.
        bind: The IP address to listen on.
        allow_remote: Whether other machines may reach the server.
        log_level: The least level of log lines.
        ui_codec_endpoint: The URL of a codec server for the Web UI.
        ui_ip: The IP address of the Web UI; None: `bind`.
        ui_public_path: The path below which the Web UI is served.
        ui_asset_path: A folder with the Web UI's files.
        sqlite_pragmas: (name, value) of SQLite pragmas.
        log_format: `text` or `json`.
        log_config: Whether the server logs its configuration.
        tls: Whether a second port serves gRPC over TLS; None: if another option asks for it.
        tls_port: That port; None: `port` + 2000 if that is free. 0: any free port.
        tls_client_auth: Whether clients need a certificate of the instance's CA (mutual TLS).
        tls_hostnames: Further host names and IP addresses of the server's certificate.
        tls_expired: Whether the server's certificate has expired.
        api_key: The API key that calls over TLS need; `generated`: one that is created once.
    """

    port: int | None = None
    http_port: int | None = None
    ui_port: int | None = None
    metrics_port: int | None = None
    ui: bool = True
    namespaces: tuple[str, ...] = ()
    search_attributes: tuple[tuple[str, str], ...] = ()
    dynamic_config: tuple[tuple[str, str], ...] = ()
    tuning: str = "fast"
    database: Path | None = None
    ephemeral: bool = False
    ephemeral_size: int | None = None
    durable: bool = False
    upgrade: bool = True
    retention: int = DEFAULT_RETENTION
    bind: str = LOOPBACK
    allow_remote: bool = False
    log_level: str = "warn"
    ui_codec_endpoint: str | None = None
    ui_ip: str | None = None
    ui_public_path: str | None = None
    ui_asset_path: Path | None = None
    sqlite_pragmas: tuple[tuple[str, str], ...] = ()
    log_format: str = "text"
    log_config: bool = False
    tls: bool | None = None
    tls_port: int | None = None
    tls_client_auth: bool = False
    tls_hostnames: tuple[str, ...] = ()
    tls_expired: bool = False
    api_key: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        _check_ports(self)
        _check_choices(self)
        for name in self.namespaces:
            check_namespace(name)
        _check_pairs(self)
        check_addresses(self.bind, self.ui_address, allow_remote=self.allow_remote)
        check_tls(self.tls, used(self), self.api_key, self.tls_hostnames)

    def opens_network(self) -> bool:
        """Whether other machines can reach the server."""
        return {self.bind, self.ui_address} != {LOOPBACK}

    @property
    def serves_tls(self) -> bool:
        """Whether a second port serves gRPC over TLS."""
        return self.tls if self.tls is not None else bool(used(self))

    @property
    def ui_address(self) -> str:
        """The IP address of the Web UI."""
        return self.ui_ip or self.bind

    def to_json(self) -> dict[str, Any]:
        """The options as JSON, for an instance's record."""
        data = {option.name: getattr(self, option.name) for option in fields(self)}
        paths = {name: getattr(self, name) for name in ("database", "ui_asset_path")}
        return data | {name: str(path) if path else None for name, path in paths.items()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ServerOptions:
        """The options that `to_json` wrote. Unknown keys, which a newer version wrote, are ignored."""
        known = {option.name for option in fields(cls)}
        values = {key: value for key, value in data.items() if key in known}
        for key in ("namespaces", "search_attributes", "dynamic_config", "sqlite_pragmas", "tls_hostnames"):
            values[key] = tuple(tuple(v) if isinstance(v, list) else v for v in values.get(key, ()))
        for key in ("database", "ui_asset_path"):
            if values.get(key):
                values[key] = Path(values[key])
        return cls(**values)


def _check_ports(options: ServerOptions) -> None:
    seen: dict[int, str] = {}
    for name in ("port", "http_port", "ui_port", "metrics_port", "tls_port"):
        port = getattr(options, name)
        option = "--" + name.replace("_", "-")
        if port is None or port == 0:
            continue
        if not 0 < port < 65536:
            raise OptionError(
                f"{option} {port} is not a port", hint="use a number from 1 to 65535, or 0 for any free port"
            )
        if port in seen:
            raise OptionError(f"{seen[port]} and {option} are both {port}", hint="give each its own port")
        seen[port] = option


def _check_choices(options: ServerOptions) -> None:
    if options.tuning not in TUNINGS:
        raise OptionError(f"unknown tuning {options.tuning!r}", hint=f"tunings: {', '.join(TUNINGS)}")
    if options.log_level not in LOG_LEVELS:
        raise OptionError(f"unknown log level {options.log_level!r}", hint=f"levels: {', '.join(LOG_LEVELS)}")
    if options.ui_codec_endpoint is not None and not _URL.match(options.ui_codec_endpoint):
        raise OptionError(
            f"--ui-codec-endpoint {options.ui_codec_endpoint!r} is not the URL of a codec server",
            hint="for example http://127.0.0.1:8234, which `devserver payloads serve` prints",
        )
    if options.ui_codec_endpoint is not None and "@" in options.ui_codec_endpoint.partition("://")[2].partition("/")[0]:
        raise OptionError(
            "--ui-codec-endpoint must not have a user and a password",
            details=["other users of this machine could read them in the server's command line; no browser sends them"],
            hint="leave them out of the URL",
        )
    if options.ui_public_path is not None and not options.ui_public_path.startswith("/"):
        # The Web UI of 1.9.1 would redirect every request to another path below the same one, without end.
        raise OptionError(
            f"--ui-public-path {options.ui_public_path!r} does not begin with a slash",
            hint=f"use --ui-public-path /{options.ui_public_path}",
        )
    if options.retention < SHORTEST_RETENTION:
        raise OptionError(
            f"a retention of {options.retention} s is shorter than Temporal allows",
            hint="use at least one hour, for example --retention 30d",
        )
    if options.ephemeral and options.database is not None:
        raise OptionError(
            "--ephemeral and --db-filename contradict each other",
            hint="use --ephemeral to keep no state, or --db-filename to keep it",
        )
    if options.ephemeral_size is not None and options.ephemeral_size < SMALLEST_EPHEMERAL:
        raise OptionError(
            f"--ephemeral-size: {options.ephemeral_size} bytes are too few for a database",
            hint="use at least 16MiB, for example --ephemeral-size 1GiB",
        )
    if options.ephemeral and options.durable:
        raise OptionError(
            "--ephemeral and --durable contradict each other",
            hint="use --ephemeral to keep no state, or --durable to keep it",
        )


def _check_pairs(options: ServerOptions) -> None:
    for name, kind in options.search_attributes:
        if not IDENTIFIER.match(name):
            raise OptionError(f"{name!r} is not a valid search attribute name", hint="use letters, digits and _")
        if kind not in SEARCH_ATTRIBUTE_TYPES:
            raise OptionError(
                f"the search attribute {name} has the unknown type {kind!r}",
                hint=f"types: {', '.join(SEARCH_ATTRIBUTE_TYPES)}",
            )
    for key, value in options.dynamic_config:
        dynamic_value(key, value)


def dynamic_config(options: ServerOptions) -> dict[str, str]:
    """The dynamic configuration of a server, key -> JSON text: the tuning's values and the user's, which win."""
    values = {setting.key: setting.value for setting in TUNINGS[options.tuning]}
    return values | dict(options.dynamic_config)
