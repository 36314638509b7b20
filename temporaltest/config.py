"""The configuration of a test run: one frozen record from options, environment, ini file and `[tool.devserver]`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from .option_values import chosen_backend, placed_value
from .options import IMAGE, NAMESPACES_PER_SERVER, OPTIONS, PREFIX

if TYPE_CHECKING:
    import pytest

    from devserver import Settings

TERMINAL_LINGER = 180.0
GROUP = f"Temporal (each also as ini key temporal_NAME and as environment variable {PREFIX}NAME)"
# Settings of `[tool.devserver]` and `DEVSERVER_*` that select the executable; read here so that they are read once.
EXECUTABLE = ("binary", "source", "offline", "base_url", "require_pinned", "accept_sha256")
WORKER_INPUT = "temporal"
TIMEOUT = 30.0
NOTHING: Mapping[str, Any] = MappingProxyType({})


class PluginConfig(NamedTuple):  # every run makes this class, and a dataclass takes three times as long
    """The configuration of one test run.

    `linger` and `timeout` are in seconds; `executable` has keywords of `DevServer.start` that select the executable.
    """

    backend: str = "managed"
    version: str | None = None
    tuning: str | None = None
    dynamic_config: Mapping[str, Any] = NOTHING
    time_skipping: bool = False
    adopt: str = "off"
    instance: str | None = None
    image: str = IMAGE
    address: str | None = None
    client_profile: str | None = None
    namespace: str | None = None
    api_key: str | None = None
    tls: bool | None = None
    tls_server_name: str | None = None
    tls_server_ca_cert_path: Path | None = None
    tls_client_cert_path: Path | None = None
    tls_client_key_path: Path | None = None
    ephemeral_size: str | None = None
    ui: bool = False
    keep: bool = False
    linger: float = 0.0
    namespaces_per_server: int = NAMESPACES_PER_SERVER
    timeout: float = TIMEOUT
    replay: bool = True
    record: Path | None = None
    record_scrub: bool = False
    replay_from: Path | None = None
    replay_module: tuple[str, ...] | None = None
    report: Path | None = None
    summary: Path | None = None
    executable: Mapping[str, str | bool] = NOTHING

    def __repr__(self) -> str:
        """Without the API key."""
        shown = self._replace(api_key=None if self.api_key is None else "***")
        return f"PluginConfig{tuple(shown)!r}"

    def header(self) -> str:
        """The line at the top of a run: the server, and the settings that differ from the defaults."""
        ours = self.backend != "external"
        notes = [f"tuning {self.tuning or 'fast'}"] if ours else []
        notes += [f"{key}={value}" for key, value in self.dynamic_config.items()] if ours else []
        notes += [f"timeout {self.timeout:g} s"]
        notes += ["time skipping"] if self.time_skipping else []
        notes += ["adopts the SDK's test environments"] if self.adopt != "off" else []
        notes += [] if self.replay else ["no replay"]
        notes += [f"recording into {self.record}"] if self.record else []
        notes += [f"replaying from {self.replay_from}"] if self.replay_from else []
        notes += ["Web UI"] if self.ui and ours else []
        notes += ["kept running after the run"] if self.keep and ours else []
        notes += [f"lingers for {self.linger:g} s after the run"] if self.linger and ours and not self.keep else []
        return ", ".join([f"temporal: {self._server()}", *notes])

    def _server(self) -> str:
        if self.backend == "container":
            return f"container of {self.image}"
        if self.instance is not None:
            return f"instance {self.instance}"
        if self.backend == "managed":
            return f"managed server, {self._executable()}"
        profile = f"client profile {self.client_profile}" if self.client_profile else "(SDK environment configuration)"
        return f"external server {self.address or profile}"

    def _executable(self) -> str:
        from devserver import DEFAULT_VERSION

        binary = None if self.version else self.executable.get("binary")
        return str(binary) if binary else f"Temporal CLI {self.version or DEFAULT_VERSION}"

    def at_least(self, seconds: float) -> float:
        """A limit of a step of the setup: `timeout` where that is longer."""
        return max(seconds, self.timeout)

    def scaled(self, seconds: float) -> float:
        """A limit that is longer in the proportion in which `timeout` is longer than its default."""
        return seconds * max(1.0, self.timeout / TIMEOUT)

    def server_options(self) -> dict[str, Any]:
        """The server to run, as keywords of `DevServer.start`."""
        options = {
            "version": self.version,
            "tuning": self.tuning,
            "ephemeral_size": self.ephemeral_size,
            "dynamic_config": dict(self.dynamic_config) or None,
        }
        return {**self.executable, **{key: value for key, value in options.items() if value is not None}}

    def to_wire(self) -> dict[str, Any]:
        """As plain values, which xdist can send to its workers."""
        return {key: _plain(value) for key, value in self._asdict().items()}

    @classmethod
    def from_wire(cls, values: Mapping[str, Any]) -> PluginConfig:
        """From the values of `to_wire`."""
        paths = {option.key for option in OPTIONS if option.parse is Path}
        parsed: dict[str, Any] = {k: Path(value) if k in paths and value else value for k, value in values.items()}
        return cls(**parsed)


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    return dict(value) if isinstance(value, Mapping) else value


def add_options(parser: pytest.Parser) -> None:
    """Declare every option to pytest, as a flag and as an ini key."""
    group = parser.getgroup("temporal", GROUP)
    for option in OPTIONS:
        extra: dict[str, Any] = {"nargs": "?", "const": option.bare} if option.bare else {}
        extra |= {"action": "append"} if option.repeats else {}
        group.addoption(option.flag, dest=option.ini, default=None, metavar=option.metavar, help=option.help, **extra)
        if option.repeats:
            parser.addini(option.ini, option.help, type="linelist", default=None)
        else:
            parser.addini(option.ini, option.help, default=None)


def read(config: pytest.Config, environ: Mapping[str, str] | None = None) -> PluginConfig:
    """The configuration of this run.

    Flags override environment variables, then the ini file, then `[tool.devserver]`, then the defaults. An xdist worker
    has the configuration of its controller, which alone knows about the terminal.

    Raises:
        pytest.UsageError: A value is invalid; the message says where it was set and what is valid.
    """
    values = getattr(config, "workerinput", {}).get(WORKER_INPUT)
    if values is not None:
        return PluginConfig.from_wire(values)
    variables = os.environ if environ is None else environ
    project = _project(config, variables)
    settings = {option.key: placed_value(config, option, variables) for option in OPTIONS}
    read: dict[str, Any] = {}
    for option in OPTIONS:
        setting = settings[option.key]
        read[option.key] = option.default if setting is None else setting.value
    read["backend"] = chosen_backend(settings, str(read["backend"]))
    if read["backend"] != "managed":
        read["instance"] = None
    read["version"] = read["version"] or project.version
    read["tuning"] = read["tuning"] or project.tuning
    read["executable"] = _executable(project)
    if read["linger"] is None:
        read["linger"] = TERMINAL_LINGER if _at_terminal(variables) else 0.0
    return PluginConfig(**read)


def _project(config: pytest.Config, environ: Mapping[str, str]) -> Settings:
    import pytest

    from devserver import DevServerError, Settings

    try:
        # pytest runs the code of this project, so its settings may choose the executable too.
        settings = Settings.load(config.rootpath, environ, trust_file=True)
        if settings.tuning is not None:
            from devserver import ServerOptions

            ServerOptions(tuning=settings.tuning)
    except DevServerError as error:
        raise pytest.UsageError(str(error)) from None
    return settings


def _executable(settings: Settings) -> dict[str, str | bool]:
    values = {key: getattr(settings, key) for key in EXECUTABLE}
    return {key: value if isinstance(value, bool) else str(value) for key, value in values.items() if value}


def _at_terminal(environ: Mapping[str, str]) -> bool:
    """Whether a person runs the tests. Checks output: pytest captures stdin before it loads plugins."""
    import sys

    streams = (sys.__stdout__, sys.__stderr__)
    return not environ.get("CI") and any(stream is not None and stream.isatty() for stream in streams)
