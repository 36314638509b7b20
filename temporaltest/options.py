"""The plugin's options: each is declared once, and is a flag, an ini key and a variable of the environment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PREFIX = "TEMPORAL_TEST_"
BACKENDS = ("managed", "container", "external")
IMAGE = "temporalio/temporal"

_WORDS = {"on": True, "true": True, "1": True, "yes": True, "off": False, "false": False, "0": False, "no": False}


@dataclass(frozen=True)
class Option:
    """One setting: `--temporal-NAME`, the ini key `temporal_NAME` and the variable `TEMPORAL_TEST_NAME`.

    `parse` raises ValueError with what the value must be.
    """

    name: str
    parse: Callable[[str], Any]
    help: str
    default: Any = None
    metavar: str | None = None

    @property
    def flag(self) -> str:
        """As it is given to pytest."""
        return f"--temporal-{self.name}"

    @property
    def key(self) -> str:
        """As it stands in `Config`."""
        return self.name.replace("-", "_")

    @property
    def ini(self) -> str:
        """As it stands in an ini file."""
        return f"temporal_{self.key}"

    @property
    def variable(self) -> str:
        """As it stands in the environment."""
        return PREFIX + self.key.upper()


def _switch(text: str) -> bool:
    try:
        return _WORDS[text.strip().lower()]
    except KeyError:
        raise ValueError("on or off") from None


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ValueError("a number of seconds") from None
    if not 0 <= value < float("inf"):
        raise ValueError("a number of seconds, 0 or more")
    return value


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


def _address(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or "/" in host or not port.isdecimal():
        raise ValueError("host:port, such as localhost:7233")
    return text


OPTIONS = (
    Option("backend", _backend, f"where the server comes from: {', '.join(BACKENDS)} [managed]", "managed", "NAME"),
    Option("version", str, "version of the Temporal CLI whose server to run, or latest", None, "VERSION"),
    Option(
        "tuning", _tuning, "the server's settings: fast (tuned for tests), stock (the CLI's own) [fast]", None, "NAME"
    ),
    Option("image", str, f"image of the container backend [{IMAGE}]", IMAGE, "IMAGE"),
    Option(
        "address",
        _address,
        "address of an external server, such as localhost:7233; chooses that backend",
        None,
        "HOST:PORT",
    ),
    Option(
        "client-profile",
        str,
        "the SDK's client profile (or TEMPORAL_PROFILE); chooses the external backend",
        None,
        "NAME",
    ),
    Option("namespace", str, "one namespace of an external server for all tests, instead of new ones", None, "NAME"),
    Option(
        "api-key",
        str,
        "API key of an external server; better set TEMPORAL_API_KEY, which others cannot see",
        None,
        "KEY",
    ),
    Option("tls", _switch, "reach the external server with TLS (or TEMPORAL_TLS): on, off", None, "SWITCH"),
    Option("tls-server-name", str, "name in its certificate (or TEMPORAL_TLS_SERVER_NAME)", None, "NAME"),
    Option(
        "tls-server-ca-cert-path", Path, "CA of its certificate (or TEMPORAL_TLS_SERVER_CA_CERT_PATH)", None, "FILE"
    ),
    Option("tls-client-cert-path", Path, "client certificate (or TEMPORAL_TLS_CLIENT_CERT_PATH)", None, "FILE"),
    Option("tls-client-key-path", Path, "its key (or TEMPORAL_TLS_CLIENT_KEY_PATH)", None, "FILE"),
    Option("ui", _switch, "serve the Web UI: on, off [off]", False, "SWITCH"),
    Option(
        "keep",
        _switch,
        "leave the server and its Web UI up after the run, to look at what a test left: on, off [off]",
        False,
        "SWITCH",
    ),
    Option(
        "linger",
        _seconds,
        "leave the server up so long after the run, for the next one [180 at a terminal, else 0]",
        None,
        "SECONDS",
    ),
    Option("timeout", _seconds, "limit of each wait for a workflow, in seconds [30]", 30.0, "SECONDS"),
    Option("replay", _switch, "replay every workflow at the end of its test: on, off [on]", True, "SWITCH"),
    Option("record", Path, "write the history of every workflow of tests that pass into this folder", None, "DIR"),
    Option(
        "record-scrub",
        _switch,
        "leave times, run ids and machines out of recordings, for version control: on, off [off]",
        False,
        "SWITCH",
    ),
    Option("replay-from", Path, "replay the histories in this folder against today's code", None, "DIR"),
    Option("report", Path, "write what failed tests show into this folder, as text and JSON", None, "DIR"),
)
