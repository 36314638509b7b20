"""The plugin's options. Each is declared once, and is a flag, an ini key and an environment variable."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

PREFIX = "TEMPORAL_TEST_"
BACKENDS = ("managed", "container", "external")
IMAGE = "temporalio/temporal"
NAMESPACES_PER_SERVER = 50  # about 350 MB, and 10 ms of a test's CPU for the start of the next server
ANY_VERSION = "any-version"

_WORDS = {"on": True, "true": True, "1": True, "yes": True, "off": False, "false": False, "0": False, "no": False}


class Option(NamedTuple):
    """One setting: the flag `--temporal-NAME`, the ini key `temporal_NAME`, the variable `TEMPORAL_TEST_NAME`.

    `parse` raises ValueError; its message completes "must be ...". `bare` is the value of the flag without one. An
    option that `repeats` has one value a line.
    """

    name: str
    parse: Callable[[str], Any]
    metavar: str
    help: str
    default: Any = None
    bare: str | None = None
    repeats: bool = False

    @property
    def flag(self) -> str:
        """The command line flag."""
        return f"--temporal-{self.name}"

    @property
    def key(self) -> str:
        """The field of `PluginConfig`."""
        return self.name.replace("-", "_")

    @property
    def ini(self) -> str:
        """The key in an ini file."""
        return f"temporal_{self.key}"

    @property
    def variable(self) -> str:
        """The environment variable."""
        return PREFIX + self.key.upper()


def _modules(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(","))
    if not all(names):
        raise ValueError("a module, such as shop.workflows or shop/workflows.py")
    return names


def _switch(text: str) -> bool:
    try:
        return _WORDS[text.strip().lower()]
    except KeyError:
        raise ValueError("on or off") from None


def _adoption(text: str) -> str:
    if text.strip().lower() == ANY_VERSION:
        return ANY_VERSION
    try:
        return "on" if _switch(text) else "off"
    except ValueError:
        raise ValueError(f"on, off or {ANY_VERSION} (before a path, write --temporal-adopt=on)") from None


def _dynamic_config(text: str) -> dict[str, Any]:
    from devserver import DevServerError, ServerOptions

    pairs = [tuple(map(str.strip, line.split("=", 1))) for line in text.splitlines() if line.strip()]
    if any(len(pair) != 2 for pair in pairs):
        raise ValueError("KEY=JSON, such as limit.maxIDLength=255")
    try:
        ServerOptions(dynamic_config=tuple((pair[0], pair[1]) for pair in pairs))
    except DevServerError as error:
        raise ValueError(f"KEY=JSON, such as limit.maxIDLength=255 ({error.message})") from None
    return {pair[0]: json.loads(pair[1]) for pair in pairs}


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ValueError("a number of seconds") from None
    if not 0 <= value < float("inf"):
        raise ValueError("a number of seconds, 0 or more")
    return value


def _count(text: str) -> int:
    if not text.isdecimal():
        raise ValueError("a number, 0 or more")
    return int(text)


def _backend(text: str) -> str:
    if text not in BACKENDS:
        raise ValueError(f"one of {', '.join(BACKENDS)}")
    return text


def _tuning(text: str) -> str:
    from devserver import DevServerError, ServerOptions

    try:
        return ServerOptions(tuning=text).tuning
    except DevServerError as error:
        raise ValueError(f"one of the {error.hint}") from None


def _size(text: str) -> str:
    from devserver import DevServerError, ServerOptions
    from devserver.payloads import parse_size

    try:
        ServerOptions(ephemeral_size=parse_size(text, "the size"))
    except DevServerError as error:
        raise ValueError(f"a size of 16MiB or more, such as 1GiB ({error.message})") from None
    return text


def _address(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or "/" in host or not port.isdecimal():
        raise ValueError("host:port, such as localhost:7233")
    return text


OPTIONS = (
    Option("backend", _backend, "NAME", f"Where the server comes from: {', '.join(BACKENDS)} [managed].", "managed"),
    Option("version", str, "VERSION", "Temporal CLI version to run, or latest."),
    Option("tuning", _tuning, "NAME", "Server tuning: fast (for tests) or stock (the CLI's own settings) [fast]."),
    Option(
        "dynamic-config",
        _dynamic_config,
        "KEY=JSON",
        "Dynamic configuration of the server, such as limit.maxIDLength=255. Repeatable; one a line in an ini file.",
        {},
        repeats=True,
    ),
    Option("time-skipping", _switch, "SWITCH", "Skip time in every test, as with the mark: on, off [off].", False),
    Option(
        "adopt",
        _adoption,
        "SWITCH",
        "Give the SDK's test environments (start_local, start_time_skipping, from_client) a namespace on the shared "
        "server: on, off, any-version (also those that pin a server version) [off].",
        "off",
        bare="on",
    ),
    Option(
        "instance",
        str,
        "NAME",
        "Running devserver instance to use (devserver up --name NAME); --temporal-keep on keeps what the tests did.",
    ),
    Option("image", str, "IMAGE", f"Image of the container backend [{IMAGE}].", IMAGE),
    Option(
        "address",
        _address,
        "HOST:PORT",
        "Address of an external server, such as localhost:7233. Selects the external backend.",
    ),
    Option(
        "client-profile",
        str,
        "NAME",
        "Client profile of the SDK's environment configuration (or TEMPORAL_PROFILE). Selects the external backend.",
    ),
    Option("namespace", str, "NAME", "Namespace of an external server that all tests share, instead of new ones."),
    Option(
        "api-key",
        str,
        "KEY",
        "API key of an external server. Prefer the variable TEMPORAL_API_KEY: a command line is visible to others.",
    ),
    Option("tls", _switch, "SWITCH", "Connect to the external server with TLS (or TEMPORAL_TLS): on, off."),
    Option("tls-server-name", str, "NAME", "Server name in the server's certificate (or TEMPORAL_TLS_SERVER_NAME)."),
    Option(
        "tls-server-ca-cert-path",
        Path,
        "FILE",
        "CA certificate of the server (or TEMPORAL_TLS_SERVER_CA_CERT_PATH).",
    ),
    Option(
        "tls-client-cert-path", Path, "FILE", "Client certificate for mutual TLS (or TEMPORAL_TLS_CLIENT_CERT_PATH)."
    ),
    Option("tls-client-key-path", Path, "FILE", "Client private key for mutual TLS (or TEMPORAL_TLS_CLIENT_KEY_PATH)."),
    Option(
        "ephemeral-size",
        _size,
        "SIZE",
        "Largest size of the managed server's database, as 1GiB [half of what is free, up to 4GiB].",
    ),
    Option("ui", _switch, "SWITCH", "Serve the Web UI: on, off [off].", False),
    Option("keep", _switch, "SWITCH", "Keep the server and its Web UI running after the run: on, off [off].", False),
    Option(
        "linger",
        _seconds,
        "SECONDS",
        "Seconds to keep the server running for the next run [180 at a terminal, else 0].",
    ),
    Option(
        "namespaces-per-server",
        _count,
        "COUNT",
        f"Namespaces after which a new managed server replaces the shared one; 0 never [{NAMESPACES_PER_SERVER}].",
        NAMESPACES_PER_SERVER,
    ),
    Option("timeout", _seconds, "SECONDS", "Limit of each wait for a workflow, in seconds [30].", 30.0),
    Option("replay", _switch, "SWITCH", "Replay every workflow at the end of its test: on, off [on].", True),
    Option("record", Path, "DIR", "Record the workflow histories of tests that pass into this folder."),
    Option(
        "record-scrub",
        _switch,
        "SWITCH",
        "Remove times, run ids and host names from recordings, for version control: on, off [off].",
        False,
    ),
    Option("replay-from", Path, "DIR", "Replay the histories in this folder against the current code."),
    Option(
        "replay-module",
        _modules,
        "MODULE",
        "Module of the workflows of histories that the Web UI or the Temporal CLI saved; several with commas.",
    ),
    Option("report", Path, "DIR", "Write the reports of failed tests into this folder, as text and JSON."),
    Option("summary", Path, "FILE", "Append a Markdown summary of the run to this file, for the page of a CI job."),
)
