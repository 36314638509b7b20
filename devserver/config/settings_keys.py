"""Every key of the settings, and every environment variable that devserver reads: kind, default and description."""

from __future__ import annotations

from collections.abc import Iterable

from . import setting_kinds as kinds
from .declarations import ENDPOINTS, SCHEDULES
from .option_values import PREFIX as PREFIX
from .option_values import variable as variable
from .server_options import LOG_FORMATS, LOG_LEVELS
from .setting_kinds import Kind
from .tuning import TUNINGS

SOURCES = ("explicit", "installed", "release", "wheel")


class SettingKey:
    """One key of the settings.

    Args:
        kind: The kind of its value.
        default: What holds where it is not set, in words.
        text: What it sets.
        option: The option of `devserver up` with this meaning; None if there is none.
    """

    __slots__ = ("default", "kind", "option", "text")

    def __init__(self, kind: Kind, default: str, text: str, option: str | None = None) -> None:
        self.kind = kind
        self.default = default
        self.text = text
        self.option = option


NONE = "none"
FREE = "a free one, reused on restart"

KEYS: dict[str, SettingKey] = {
    "version": SettingKey(kinds.TEXT, "the pinned one", "Version of the Temporal CLI, or `latest`", "--version"),
    "binary": SettingKey(kinds.PATH, NONE, "Temporal CLI binary to run", "--binary"),
    "source": SettingKey(
        kinds.choice(*SOURCES), "all, in this order", "Only source of the executable to use", "--source"
    ),
    "offline": SettingKey(kinds.FLAG, "false", "Stay off the network", "--offline"),
    "base-url": SettingKey(kinds.TEXT, "Temporal's", "Download service, or a mirror of it", "--base-url"),
    "require-pinned": SettingKey(
        kinds.FLAG, "false", "Refuse an executable whose SHA-256 is not pinned", "--require-pinned"
    ),
    "accept-sha256": SettingKey(kinds.TEXT, NONE, "SHA-256 to accept as if it were pinned", "--accept-sha256"),
    "name": SettingKey(kinds.NAME, "default", "Name of the devserver instance", "--name"),
    "detach": SettingKey(kinds.FLAG, "false", "Return once the server is ready, and leave it running", "--detach"),
    "timeout": SettingKey(kinds.LIMIT, "30s", "How long to wait for the server to be ready", "--timeout"),
    "pause-schedules": SettingKey(
        kinds.FLAG, "false", "Pause all schedules before they run missed actions", "--pause-schedules"
    ),
    "port": SettingKey(kinds.PORT, "7233; for another name a free one", "gRPC port", "--port"),
    "http-port": SettingKey(
        kinds.PORT, FREE, "Port of the HTTP API, which otherwise answers only devserver", "--http-port"
    ),
    "ui-port": SettingKey(kinds.PORT, "the gRPC port + 1000 if free", "Port of the Web UI", "--ui-port"),
    "metrics-port": SettingKey(kinds.PORT, FREE, "Port of Prometheus metrics", "--metrics-port"),
    "ui": SettingKey(kinds.FLAG, "true", "Serve the Web UI", "--ui"),
    "ui-codec-endpoint": SettingKey(kinds.TEXT, NONE, "Codec server for the Web UI", "--ui-codec-endpoint"),
    "ui-ip": SettingKey(kinds.TEXT, "as `ip`", "IP address of the Web UI", "--ui-ip"),
    "ui-public-path": SettingKey(kinds.TEXT, "/", "Path of the Web UI behind a reverse proxy", "--ui-public-path"),
    "ui-asset-path": SettingKey(kinds.PATH, "the built-in ones", "Assets of the Web UI", "--ui-asset-path"),
    "ip": SettingKey(kinds.TEXT, "127.0.0.1", "IP address to listen on", "--ip"),
    "allow-remote": SettingKey(kinds.FLAG, "false", "Allow `ip` to open the server to the network", "--allow-remote"),
    "namespaces": SettingKey(kinds.NAMES, "default", "Namespaces to create", "--namespace"),
    "search-attributes": SettingKey(
        kinds.ATTRIBUTES, NONE, "Search attributes to create in each namespace", "--search-attribute"
    ),
    "nexus-endpoints": SettingKey(ENDPOINTS, NONE, "Nexus endpoints to create or update"),
    "schedules": SettingKey(SCHEDULES, NONE, "Schedules to create or update"),
    "retention": SettingKey(kinds.DURATION, "30d", "How long to keep closed workflows", "--retention"),
    "tuning": SettingKey(kinds.choice(*TUNINGS), "fast", "Preset of dynamic configuration", "--tuning"),
    "dynamic-config": SettingKey(kinds.DYNAMIC, NONE, "Dynamic configuration values", "--dynamic-config-value"),
    "db-filename": SettingKey(kinds.PATH, "the instance's own file", "Database file", "--db-filename"),
    "ephemeral": SettingKey(kinds.FLAG, "false", "Keep no state on disk", "--ephemeral"),
    "ephemeral-size": SettingKey(
        kinds.SIZE, "half of what is free, up to 4GiB", "Largest size of an ephemeral database", "--ephemeral-size"
    ),
    "durable": SettingKey(kinds.FLAG, "false", "Survive power loss", "--durable"),
    "sqlite-pragmas": SettingKey(kinds.PRAGMAS, NONE, "SQLite pragmas of the server's connections", "--sqlite-pragma"),
    "upgrade": SettingKey(kinds.FLAG, "true", "Upgrade the database of an older server", "--upgrade"),
    "log-level": SettingKey(kinds.choice(*LOG_LEVELS), "warn", "What the server logs", "--log-level"),
    "log-format": SettingKey(kinds.choice(*LOG_FORMATS), "text", "Format of the server's log", "--log-format"),
    "log-config": SettingKey(kinds.FLAG, "false", "Log the server's configuration when it starts", "--log-config"),
    "tls": SettingKey(kinds.FLAG, "true if another TLS key is set", "Serve gRPC over TLS on a second port", "--tls"),
    "tls-port": SettingKey(kinds.PORT, "the gRPC port + 2000 if free", "Port of gRPC over TLS", "--tls-port"),
    "tls-client-auth": SettingKey(
        kinds.FLAG, "false", "Require client certificates over TLS (mutual TLS)", "--tls-client-auth"
    ),
    "tls-hostnames": SettingKey(
        kinds.NAMES, "localhost, 127.0.0.1 and ::1", "Further host names of the certificate", "--tls-hostname"
    ),
    "tls-expired": SettingKey(kinds.FLAG, "false", "Use a certificate that has expired", "--tls-expired"),
    "api-key": SettingKey(kinds.TEXT, NONE, "API key that calls over TLS need; `generated` creates one", "--api-key"),
}

# Environment variables that are not keys of the settings.
OTHER_VARIABLES: dict[str, str] = {
    "DEVSERVER_HOME": "Folder for everything that devserver keeps; an absolute path. Default: the cache, state and "
    "data folders of the user",
    "DEVSERVER_PAYLOADS": "Folder of [large payloads](payloads.md)",
    "DEVSERVER_CLUSTER_BINARY": "Executable of the server that [a real cluster](cluster.md) runs",
    "DEVSERVER_COMMAND_LOG": "File to which commands are logged in a [game day](gamedays.md); `gameday env` prints it",
    "DEVSERVER_LEDGER": "File to which a [runbook](rehearsal.md) writes its side effects; a rehearsal sets it",
    "DEVSERVER_PATIENT": "The cluster that a [runbook](rehearsal.md) works on, as JSON; a rehearsal sets it",
    "_DEVSERVER_COMPLETE": "Set by shell completion",
    "_DEVSERVER_COMPLETE_SECONDS": "Time for shell completion, in seconds; more for a slow machine",
}

# Other words for a key, which are not like it.
_SAME = {
    "database": "db-filename",
    "db": "db-filename",
    "bind": "ip",
    "host": "ip",
    "headless": "ui",
    "no-ui": "ui",
    "no-upgrade": "upgrade",
    "profile": "tuning",
    "dynamic-config-value": "dynamic-config",
    "in-memory": "ephemeral",
    "endpoints": "nexus-endpoints",
    "instance": "name",
    "workflow": "type",
    "workflow-type": "type",
    "timezone": "time-zone",
    "every": "interval",
    "args": "input",
}


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known key that a user probably meant."""
    import difflib

    plain = word.replace("_", "-").lower()
    names = list(known)
    if _SAME.get(plain) in names:
        return _SAME[plain]
    near = difflib.get_close_matches(plain, names, n=1)
    return near[0] if near else None


def known_variables() -> dict[str, str]:
    """Every environment variable that devserver reads -> what it sets."""
    return {**{variable(key): setting.text for key, setting in KEYS.items()}, **OTHER_VARIABLES}


def nearest_variable(name: str) -> str | None:
    """The environment variable that a user probably meant."""
    known = {other.removeprefix(PREFIX).lower().replace("_", "-"): other for other in known_variables()}
    near = nearest(name.removeprefix(PREFIX), known)
    return known[near] if near else None
