"""What a test run is set to: one frozen record from options, ini, environment and `[tool.devserver]`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .options import IMAGE, OPTIONS, PREFIX, Option
from .xdist import SETTINGS

if TYPE_CHECKING:
    import pytest

    from devserver import Settings

TERMINAL_LINGER = 180.0
GROUP = f"Temporal (also as ini key temporal_NAME, or in the environment as {PREFIX}NAME)"
# What of `[tool.devserver]` and `DEVSERVER_*` says which executable runs; it is read here so that it is read once.
EXECUTABLE = ("binary", "source", "offline", "base_url", "require_pinned", "accept_sha256")


@dataclass(frozen=True)
class PluginConfig:
    """The settings of one test run; `linger` and `timeout` are in seconds, `executable` are keywords of `DevServer`."""

    backend: str = "managed"
    version: str | None = None
    tuning: str | None = None
    image: str = IMAGE
    address: str | None = None
    client_profile: str | None = None
    namespace: str | None = None
    api_key: str | None = field(default=None, repr=False)
    tls: bool | None = None
    tls_server_name: str | None = None
    tls_server_ca_cert_path: Path | None = None
    tls_client_cert_path: Path | None = None
    tls_client_key_path: Path | None = None
    ui: bool = False
    keep: bool = False
    linger: float = 0.0
    timeout: float = 30.0
    replay: bool = True
    record: Path | None = None
    record_scrub: bool = False
    replay_from: Path | None = None
    report: Path | None = None
    executable: Mapping[str, str | bool] = field(default_factory=dict)

    def header(self) -> str:
        """The line at the top of a run: what is used, and only what differs from the usual."""
        ours = self.backend != "external"
        notes = [f"tuning {self.tuning or 'fast'}"] if ours else []
        notes += [f"timeout {self.timeout:g} s"]
        notes += [] if self.replay else ["no replay"]
        notes += [f"recording into {self.record}"] if self.record else []
        notes += [f"replaying from {self.replay_from}"] if self.replay_from else []
        notes += ["Web UI"] if self.ui and ours else []
        notes += ["kept after the run"] if self.keep and ours else []
        notes += [f"warm for {self.linger:g} s after the run"] if self.linger and ours and not self.keep else []
        return ", ".join([f"temporal: {self._where()}", *notes])

    def _where(self) -> str:
        if self.backend == "container":
            return f"container of {self.image}"
        if self.backend == "managed":
            return f"managed server, {self._executable()}"
        named = f"client profile {self.client_profile}" if self.client_profile else "(as the SDK's environment says)"
        return f"external server {self.address or named}"

    def _executable(self) -> str:
        from devserver import DEFAULT_VERSION

        binary = None if self.version else self.executable.get("binary")
        return str(binary) if binary else f"Temporal CLI {self.version or DEFAULT_VERSION}"

    def server_options(self) -> dict[str, Any]:
        """Which server is to run, as keywords of `DevServer.start`."""
        said = {"version": self.version, "tuning": self.tuning}
        return {**self.executable, **{key: value for key, value in said.items() if value is not None}}

    def to_wire(self) -> dict[str, Any]:
        """In the form that xdist hands to its workers."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return {key: str(value) if isinstance(value, Path) else value for key, value in values.items()}

    @classmethod
    def from_wire(cls, values: Mapping[str, Any]) -> PluginConfig:
        """What `to_wire` has written."""
        paths = {option.key for option in OPTIONS if option.parse is Path}
        read: dict[str, Any] = {k: Path(value) if k in paths and value else value for k, value in values.items()}
        return cls(**read)


def add_options(parser: pytest.Parser) -> None:
    """Declare every option to pytest, once, as a flag and as an ini key."""
    group = parser.getgroup("temporal", GROUP)
    for option in OPTIONS:
        group.addoption(option.flag, dest=option.ini, default=None, metavar=option.metavar, help=option.help)
        parser.addini(option.ini, option.help, default=None)


def read(config: pytest.Config, environ: Mapping[str, str] | None = None) -> PluginConfig:
    """The settings of this run: flag, then environment, then ini file, then `[tool.devserver]`, then the default.

    One of xdist's workers has those of its controller, which alone knows of the terminal.

    Raises:
        pytest.UsageError: A value cannot be used; names where it was said and what may be said.
    """
    handed = getattr(config, "workerinput", {}).get(SETTINGS)
    if handed is not None:
        return PluginConfig.from_wire(handed)
    variables = os.environ if environ is None else environ
    settings = _project(config, variables)
    said = {option.key: _said(config, option, variables) for option in OPTIONS}
    values: dict[str, Any] = {}
    for option in OPTIONS:
        word = said[option.key]
        values[option.key] = option.default if word is None else word[1]
    values["backend"] = _backend(said, values)
    values["version"] = values["version"] or settings.version
    values["tuning"] = values["tuning"] or settings.tuning
    values["executable"] = _executable(settings)
    if values["linger"] is None:
        values["linger"] = TERMINAL_LINGER if _at_terminal(variables) else 0.0
    return PluginConfig(**values)


def _project(config: pytest.Config, environ: Mapping[str, str]) -> Settings:
    import pytest

    from devserver import DevServerError, ServerOptions, Settings

    try:
        settings = Settings.load(config.rootpath, environ)
        if settings.tuning is not None:
            ServerOptions(tuning=settings.tuning)
    except DevServerError as error:
        raise pytest.UsageError(str(error)) from None
    return settings


def _executable(settings: Settings) -> dict[str, str | bool]:
    values = {key: getattr(settings, key) for key in EXECUTABLE}
    return {key: value if isinstance(value, bool) else str(value) for key, value in values.items() if value}


def _said(config: pytest.Config, option: Option, environ: Mapping[str, str]) -> tuple[int, Any] | None:
    """What was said of an option, and its rank: 0 on the command line, 1 in the environment, 2 in the ini file."""
    import pytest

    here = config.invocation_params.dir
    said = (
        (option.flag, config.getoption(option.ini), here),
        (option.variable, environ.get(option.variable), here),
        (f"{option.ini} in {config.inipath}", config.getini(option.ini), config.rootpath),
    )
    for rank, (where, text, folder) in enumerate(said):
        if text in (None, ""):
            continue
        try:
            value = option.parse(str(text))
        except ValueError as error:
            raise pytest.UsageError(f"{where}: must be {error}, not {text!r}") from None
        return rank, folder / value if isinstance(value, Path) else value
    return None


def _backend(said: Mapping[str, tuple[int, Any] | None], values: Mapping[str, Any]) -> str:
    """The backend that was named, unless the address of an external server was named with more right."""
    import pytest

    backend = said["backend"]
    rank = 3 if backend is None else backend[0]
    for key in ("address", "client_profile"):
        address = said[key]
        if address is None or address[0] > rank or values["backend"] == "external":
            continue
        if address[0] == rank:
            flag = f"--temporal-{key.replace('_', '-')}"
            raise pytest.UsageError(
                f"{flag} is of an external server, and --temporal-backend says {values['backend']}: leave one out"
            )
        return "external"
    return str(values["backend"])


def _at_terminal(environ: Mapping[str, str]) -> bool:
    """Whether a person is there: pytest captures stdin before it lets plugins look, so output is what tells."""
    import sys

    return not environ.get("CI") and any(
        each is not None and each.isatty() for each in (sys.__stdout__, sys.__stderr__)
    )
