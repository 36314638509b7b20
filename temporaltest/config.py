"""What a test run is set to: one frozen record from options, ini, environment and `[tool.devserver]`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

PREFIX = "TEMPORAL_TEST_"
BACKENDS = ("managed", "container", "external")
TERMINAL_LINGER = 180.0


@dataclass(frozen=True)
class Option:
    """One setting: `--temporal-NAME`, the ini key `temporal_NAME` and the variable `TEMPORAL_TEST_NAME`."""

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
        """As it stands in an ini file and in `Config`."""
        return self.name.replace("-", "_")

    @property
    def variable(self) -> str:
        """As it stands in the environment."""
        return PREFIX + self.key.upper()


def _switch(text: str) -> bool:
    words = {"on": True, "true": True, "1": True, "yes": True, "off": False, "false": False, "0": False, "no": False}
    try:
        return words[text.strip().lower()]
    except KeyError:
        raise ValueError("on or off") from None


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ValueError("a number of seconds") from None
    if value < 0:
        raise ValueError("a number of seconds, 0 or more")
    return value


def _backend(text: str) -> str:
    if text not in BACKENDS:
        raise ValueError(f"one of {', '.join(BACKENDS)}")
    return text


OPTIONS = (
    Option("backend", _backend, f"where the server comes from: {', '.join(BACKENDS)} [managed]", "managed", "NAME"),
    Option("version", str, "version of the Temporal CLI whose server to run", None, "VERSION"),
    Option("profile", str, "dynamic configuration by name: fast, stock [fast]", None, "NAME"),
    Option("address", str, "address of an external server, as host:port; chooses the external backend", None, "ADDR"),
    Option("client-profile", str, "client profile of an external server (the SDK's environment configuration)"),
    Option("namespace", str, "use this namespace of an external server for all tests instead of making new ones"),
    Option("image", str, "image of the container backend [temporalio/temporal]", "temporalio/temporal", "IMAGE"),
    Option("ui", _switch, "serve the Web UI: on, off [off]", False, "SWITCH"),
    Option("keep", _switch, "leave the server and its state up after the run, to look at: on, off [off]", False),
    Option(
        "linger", _seconds, "keep the server warm for so many seconds after the run [180; 0 in CI]", None, "SECONDS"
    ),
    Option("timeout", _seconds, "limit of each wait for a workflow, in seconds [30]", 30.0, "SECONDS"),
    Option("replay", _switch, "replay every workflow at the end of its test: on, off [on]", True, "SWITCH"),
    Option("record", Path, "write the history of every workflow into this folder", None, "DIR"),
    Option("replay-from", Path, "replay the histories in this folder against today's code", None, "DIR"),
    Option("report", Path, "write reports of failed tests into this folder", None, "DIR"),
)


@dataclass(frozen=True)
class Config:
    """The settings of one test run; `linger` and `timeout` are in seconds."""

    backend: str = "managed"
    version: str | None = None
    profile: str | None = None
    address: str | None = None
    client_profile: str | None = None
    namespace: str | None = None
    image: str = "temporalio/temporal"
    ui: bool = False
    keep: bool = False
    linger: float = 0.0
    timeout: float = 30.0
    replay: bool = True
    record: Path | None = None
    replay_from: Path | None = None
    report: Path | None = None

    def header(self) -> str:
        """The line at the top of a run: what is used, and only what differs from the usual."""
        where = {
            "managed": f"managed server {self.version or '(default version)'}",
            "container": f"container of {self.image}",
            "external": f"external server {self.address or self.client_profile or '(from the environment)'}",
        }[self.backend]
        notes = [f"profile {self.profile}"] if self.profile else []
        notes += [f"timeout {self.timeout:g} s"]
        notes += [] if self.replay else ["no replay"]
        notes += [f"recording into {self.record}"] if self.record else []
        notes += ["kept after the run"] if self.keep else []
        notes += [f"warm for {self.linger:g} s after the run"] if self.linger and self.backend == "managed" else []
        return ", ".join([f"temporal: {where}", *notes])


def add_options(parser: pytest.Parser) -> None:
    """Declare every option to pytest, once, as a flag and as an ini key."""
    group = parser.getgroup("temporal", "Temporal")
    for option in OPTIONS:
        group.addoption(
            option.flag, dest=f"temporal_{option.key}", default=None, metavar=option.metavar, help=option.help
        )
        parser.addini(f"temporal_{option.key}", option.help, default=None)


def read(config: pytest.Config, environ: Mapping[str, str] | None = None) -> Config:
    """The settings of this run: flag, then environment, then ini file, then `[tool.devserver]`, then the default.

    Raises:
        pytest.UsageError: A value cannot be used; names where it was said and what may be said.
    """
    variables = os.environ if environ is None else environ
    values = {option.key: _value(config, option, variables) for option in OPTIONS}
    if values["linger"] is None:
        values["linger"] = TERMINAL_LINGER if _at_terminal(variables) else 0.0
    if values["address"] or values["client_profile"]:
        values["backend"] = "external"
    for key in ("record", "replay_from", "report"):
        if values[key] is not None:
            values[key] = config.invocation_params.dir / values[key]
    return Config(**values)


def _value(config: pytest.Config, option: Option, environ: Mapping[str, str]) -> Any:
    import pytest

    said = (
        (option.flag, config.getoption(f"temporal_{option.key}")),
        (option.variable, environ.get(option.variable)),
        (f"temporal_{option.key} in {config.inipath}", config.getini(f"temporal_{option.key}")),
    )
    for where, text in said:
        if text in (None, ""):
            continue
        try:
            return option.parse(str(text))
        except ValueError as error:
            raise pytest.UsageError(f"{where}: must be {error}, not {text!r}") from None
    return option.default


def _at_terminal(environ: Mapping[str, str]) -> bool:
    import sys

    return not environ.get("CI") and sys.__stdin__ is not None and sys.__stdin__.isatty()
