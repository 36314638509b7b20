"""What a server runs with: one frozen record, checked, and turned into the executable's command line."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import OptionError
from .tuning import TUNINGS

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

DEFAULT_NAME = "default"
LOOPBACK = "127.0.0.1"
DEFAULT_PORT = 7233
DEFAULT_RETENTION = 30 * 86400
UI_PORT_OFFSET = 1000
SHORTEST_RETENTION = 3600
LONGEST_NAMESPACE = 1000
SEARCH_ATTRIBUTE_TYPES = ("Text", "Keyword", "Int", "Double", "Bool", "Datetime", "KeywordList")
LOG_LEVELS = ("debug", "info", "warn", "error", "never")
LOG_FORMATS = ("text", "json")

_NAME = re.compile(r"[A-Za-z0-9~][A-Za-z0-9._-]{0,62}\Z")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*\Z")
_URL = re.compile(r"https?://[^\s/]+\S*\Z")
LONGEST = 365_000 * 24 * 3600  # seconds: what can be added to any moment of today
_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?\Z")


@dataclass(frozen=True)
class ServerOptions:
    """Everything that makes one running server different from another.

    Ports: None takes the usual one (7233 for the instance `default`, any free one for others), 0 any free one.
    `dynamic_config` holds (key, JSON text), `search_attributes` (name, type); `retention` is in seconds.
    `database` None means the instance's own file.
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

    def __post_init__(self) -> None:
        _check_ports(self)
        _check_choices(self)
        for name in self.namespaces:
            check_namespace(name)
        _check_pairs(self)
        _check_address(self)

    def opens_network(self) -> bool:
        """Whether others than this machine's processes can reach the server."""
        return {self.bind, self.ui_address} != {LOOPBACK}

    @property
    def ui_address(self) -> str:
        """The IP address of the Web UI."""
        return self.ui_ip or self.bind

    def to_json(self) -> dict[str, Any]:
        """The form kept in an instance's record."""
        data = {field.name: getattr(self, field.name) for field in fields(self)}
        paths = {name: getattr(self, name) for name in ("database", "ui_asset_path")}
        return data | {name: str(path) if path else None for name, path in paths.items()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ServerOptions:
        """What `to_json` wrote; unknown keys (from a newer devserver) are passed over."""
        known = {field.name for field in fields(cls)}
        values = {key: value for key, value in data.items() if key in known}
        for key in ("namespaces", "search_attributes", "dynamic_config", "sqlite_pragmas"):
            values[key] = tuple(tuple(v) if isinstance(v, list) else v for v in values.get(key, ()))
        for key in ("database", "ui_asset_path"):
            if values.get(key):
                values[key] = Path(values[key])
        return cls(**values)


def check_name(name: str, *, new: bool = False) -> str:
    """`name` if an instance may be called so: it becomes a folder's name.

    A `new` one of a user's may not begin with `~`: such instances vanish with their holder.
    """
    if not _NAME.match(name) or (new and name.startswith("~")):
        raise OptionError(
            f"{name!r} cannot be an instance's name",
            hint="use at most 63 letters, digits, dots, dashes and underscores, a letter or digit first",
        )
    return name


def check_namespace(name: str) -> None:
    """Refuse what Temporal would refuse, before anything is started."""
    if not name or len(name.encode()) > LONGEST_NAMESPACE:
        raise OptionError(
            f"a namespace's name has 1 to {LONGEST_NAMESPACE} bytes, not {len(name.encode())}",
            hint="choose another name with --namespace",
        )
    if name == "temporal-system":
        raise OptionError("the namespace temporal-system is the server's own", hint="choose another name")
    if any(character.isspace() or not character.isprintable() for character in name) or "/" in name:
        raise OptionError(
            f"the namespace {name!r} holds a space, a slash or a control character",
            hint="Temporal's own tools cannot address such a namespace; use letters, digits, dots and dashes",
        )


def parse_pair(text: str, option: str, form: str) -> tuple[str, str]:
    """`KEY=VALUE` as given to a repeatable option."""
    key, separator, value = text.partition("=")
    if not separator or not key.strip() or not value.strip():
        raise OptionError(f"{option} {text!r} is not of the form {form}", hint=f"for example {option} {form}")
    return key.strip(), value.strip()


def parse_duration(text: str, option: str) -> int:
    """Seconds of `30d`, `12h`, `1d12h`, `90m`, `45s` or a plain number of seconds; at most a thousand years."""
    plain = text.strip()
    found = _DURATION.match(f"{plain}s" if plain.isdecimal() else plain)
    if not found or not any(found.groups()):
        raise OptionError(f"{option} {text!r} is not a duration", hint=f"for example {option} 30d, or 12h, or 90m")
    days, hours, minutes, seconds = (int(group or 0) for group in found.groups()) if len(plain) < 40 else (LONGEST,) * 4
    length = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    if length > LONGEST:
        raise OptionError(f"{option} {plain[:40]} is too long", hint=f"the longest is {format_duration(LONGEST)}")
    return length


def format_duration(seconds: int) -> str:
    """`seconds` in the form that `parse_duration` reads."""
    parts = []
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, seconds = divmod(seconds, length)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def _check_ports(options: ServerOptions) -> None:
    seen: dict[int, str] = {}
    for name in ("port", "http_port", "ui_port", "metrics_port"):
        port = getattr(options, name)
        option = "--" + name.replace("_", "-")
        if port is None or port == 0:
            continue
        if not 0 < port < 65536:
            raise OptionError(
                f"{option} {port} is not a port", hint="a port is a number from 1 to 65535; 0 is any free"
            )
        if port in seen:
            raise OptionError(f"{seen[port]} and {option} are both {port}", hint="give each its own port")
        seen[port] = option


def _check_choices(options: ServerOptions) -> None:
    if options.tuning not in TUNINGS:
        raise OptionError(f"there is no tuning {options.tuning!r}", hint=f"tunings: {', '.join(TUNINGS)}")
    if options.log_level not in LOG_LEVELS:
        raise OptionError(f"there is no log level {options.log_level!r}", hint=f"levels: {', '.join(LOG_LEVELS)}")
    if options.ui_codec_endpoint is not None and not _URL.match(options.ui_codec_endpoint):
        raise OptionError(
            f"--ui-codec-endpoint {options.ui_codec_endpoint!r} is not the address of a codec server",
            hint="as in http://127.0.0.1:8234, which `devserver payloads serve` prints",
        )
    if options.retention < SHORTEST_RETENTION:
        raise OptionError(
            f"a retention of {options.retention} s is shorter than Temporal allows",
            hint="at least one hour, for example --retention 30d",
        )
    if options.ephemeral and options.database is not None:
        raise OptionError("--ephemeral keeps nothing and --db keeps a file", hint="give one of the two")
    if options.ephemeral and options.durable:
        raise OptionError("--ephemeral keeps nothing, so --durable has no meaning", hint="give one of the two")


def _check_pairs(options: ServerOptions) -> None:
    for name, kind in options.search_attributes:
        if not _IDENTIFIER.match(name):
            raise OptionError(f"{name!r} cannot be a search attribute's name", hint="use letters, digits and _")
        if kind not in SEARCH_ATTRIBUTE_TYPES:
            raise OptionError(
                f"the search attribute {name} has the unknown type {kind!r}",
                hint=f"types: {', '.join(SEARCH_ATTRIBUTE_TYPES)}",
            )
    for key, value in options.dynamic_config:
        if not _IDENTIFIER.match(key):
            raise OptionError(f"{key!r} cannot be a dynamic configuration key")
        try:
            json.loads(value)
        except ValueError as error:
            raise OptionError(
                f"the value of the dynamic configuration {key} is not JSON: {value}",
                details=[str(error)],
                hint=f"quote strings twice, for example --dynamic-config '{key}=\"1s\"'",
            ) from error


def _check_address(options: ServerOptions) -> None:
    if options.bind != LOOPBACK and not _ip_address(options.bind, "--bind").is_unspecified:
        # Seen with 1.9.1: it listens there, but its services look for each other on 127.0.0.1, so nothing is served.
        raise OptionError(
            f"--bind {options.bind}: Temporal's dev server works on {LOOPBACK} or on all addresses, "
            "not on a single other",
            hint="use --bind 0.0.0.0 --allow-remote (:: with IPv6) and let a firewall choose who may connect",
        )
    for option, address in (("--bind", options.bind), ("--ui-ip", options.ui_address)):
        if address != LOOPBACK and not _ip_address(address, option).is_loopback and not options.allow_remote:
            raise OptionError(
                f"{option} {address} would open the server to the network",
                details=[
                    "a dev server has no authentication: everyone who can reach it can read and change everything"
                ],
                hint="add --allow-remote if that is what you want",
            )


def _ip_address(text: str, option: str) -> IPv4Address | IPv6Address:
    import ipaddress

    try:
        return ipaddress.ip_address(text)
    except ValueError as error:
        raise OptionError(
            f"{option} {text!r} is not an IP address",
            hint=f"for example {option} 0.0.0.0 --allow-remote; without it the server listens on loopback only",
        ) from error


@dataclass(frozen=True)
class Ports:
    """The four ports a server listens on; `ui` is None where the Web UI is off."""

    grpc: int
    http: int
    metrics: int
    ui: int | None


# Flags that only some versions know: flag -> the first CLI version that has it.
NEWS_FETCH_OFF = ("--ui-disable-news-fetch", (1, 8))


def command_line(options: ServerOptions, *, executable: Path, version: str, ports: Ports, database: Path) -> list[str]:
    """The executable's command line for these options. Namespaces and search attributes are not in it: they are
    ensured once the server answers, on old databases as on new ones.
    """
    command = [
        str(executable), "server", "start-dev",
        "--ip", options.bind,
        "--port", str(ports.grpc),
        "--http-port", str(ports.http),
        "--metrics-port", str(ports.metrics),
        "--db-filename", str(database),
        "--log-level", options.log_level,
    ]  # fmt: skip
    if ports.ui is None:
        command.append("--headless")
    else:
        command += ["--ui-ip", options.ui_address, "--ui-port", str(ports.ui)]
        for flag, value in (("--ui-public-path", options.ui_public_path), ("--ui-asset-path", options.ui_asset_path)):
            command += [flag, str(value)] if value is not None else []
        if options.ui_codec_endpoint is not None:
            command += ["--ui-codec-endpoint", options.ui_codec_endpoint]
        if _at_least(version, NEWS_FETCH_OFF[1]):
            command.append(NEWS_FETCH_OFF[0])
    if options.log_format != "text":
        command += ["--log-format", options.log_format]
    if options.log_config:
        command.append("--log-config")
    for pragma in pragmas(options):
        command += ["--sqlite-pragma", pragma]
    for key, value in dynamic_config(options).items():
        command += ["--dynamic-config-value", f"{key}={value}"]
    return command


def pragmas(options: ServerOptions) -> tuple[str, ...]:
    """How SQLite writes: what FACTS calls fastest for what may be lost, two to three times stock otherwise."""
    synchronous = "OFF" if options.ephemeral else "FULL" if options.durable else "NORMAL"
    values = {"journal_mode": "WAL", "synchronous": synchronous} | dict(options.sqlite_pragmas)
    return tuple(f"{name}={value}" for name, value in values.items())


def dynamic_config(options: ServerOptions) -> dict[str, str]:
    """Key -> JSON text: the tuning's values, then the user's, which win."""
    values = {setting.key: setting.value for setting in TUNINGS[options.tuning]}
    return values | dict(options.dynamic_config)


def _at_least(version: str, wanted: tuple[int, ...]) -> bool:
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[: len(wanted)])
    return numbers >= wanted or numbers == (0, 0)  # 0.0.0-DEV: built by hand, so recent
