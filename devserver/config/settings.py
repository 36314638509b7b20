"""The user's settings: from the project's file, and from the environment, which wins.

The file is `[tool.devserver]` in pyproject.toml or temporal-devserver.toml. Command-line options win over both. Names
are the same everywhere: the key `base-url` is `DEVSERVER_BASE_URL` and `--base-url`. Keys of the file that choose what
is executed, or who can reach the server, count only in a folder that the user trusts: see `trust`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import ConfigFileError, OptionError
from ..system.paths import Paths, whole
from .option_values import DEFAULT_NAME, NAME
from .setting_kinds import UnknownKey, WrongValue
from .settings_file import SettingsFile, find_settings_file
from .settings_keys import KEYS, nearest, variable


@dataclass(frozen=True, eq=False, repr=False)  # for this number of fields they cost each start 1 ms
class Settings:
    """The settings of the user; None where a setting is not given. `settings_keys.KEYS` describes each.

    Attributes:
        file: The file that was read.
        untrusted: The keys of the file that do not count, because the user has not trusted it: key -> value as text.
        trusted_sha256: The SHA-256 that the trusted file's `binary` had when the user trusted it.
        stranger_version: Whether the version is that of a file that the user has not trusted.
    """

    binary: Path | None = None
    version: str | None = None
    source: str | None = None
    offline: bool = False
    base_url: str | None = None
    require_pinned: bool = False
    accept_sha256: str | None = None
    name: str | None = None
    detach: bool | None = None
    timeout: str | None = None
    pause_schedules: bool | None = None
    tuning: str | None = None
    dynamic_config: Mapping[str, Any] | None = None
    port: int | None = None
    http_port: int | None = None
    ui_port: int | None = None
    metrics_port: int | None = None
    ui: bool | None = None
    ui_codec_endpoint: str | None = None
    ui_ip: str | None = None
    ui_public_path: str | None = None
    ui_asset_path: Path | None = None
    ip: str | None = None
    allow_remote: bool | None = None
    namespaces: tuple[str, ...] | None = None
    search_attributes: Mapping[str, str] | None = None
    nexus_endpoints: Mapping[str, Mapping[str, Any]] | None = None
    schedules: Mapping[str, Mapping[str, Any]] | None = None
    retention: str | None = None
    db_filename: Path | None = None
    ephemeral: bool | None = None
    ephemeral_size: str | None = None
    durable: bool | None = None
    sqlite_pragmas: Mapping[str, str] | None = None
    upgrade: bool | None = None
    log_level: str | None = None
    log_format: str | None = None
    log_config: bool | None = None
    tls: bool | None = None
    tls_port: int | None = None
    tls_client_auth: bool | None = None
    tls_hostnames: tuple[str, ...] | None = None
    tls_expired: bool | None = None
    api_key: str | None = None
    file: Path | None = None
    untrusted: Mapping[str, str] = field(default_factory=dict)
    trusted_sha256: str | None = None
    stranger_version: bool = False

    def __eq__(self, other: object) -> bool:
        return vars(self) == vars(other) if isinstance(other, Settings) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # tables are among the values

    def __repr__(self) -> str:
        given = (f"{name}={value!r}" for name, value in vars(self).items() if value not in (None, False, {}))
        return f"Settings({', '.join(given)})"

    @classmethod
    def load(
        cls,
        cwd: Path | None = None,
        environ: Mapping[str, str] | None = None,
        *,
        trust_file: bool = False,
        project: ProjectFile | None = None,
    ) -> Settings:
        """The settings for the folder `cwd`, by default the current one.

        Args:
            cwd: The folder.
            environ: The environment variables; by default those of this process.
            trust_file: Take every key of the file, for a caller that runs the folder's own code anyway.
            project: The project's file, if it was looked for already.

        Raises:
            ConfigFileError: The file is malformed, another user owns it, or a folder has two.
            OptionError: A `DEVSERVER_*` variable has an invalid value, or the folder was removed.
        """
        folder = whole(cwd or Path())
        variables = os.environ if environ is None else environ
        values: dict[str, Any] = {}
        found = find_settings_file(folder) if project is None else project.file
        if found is not None:
            values.update(_from_file(found), file=found.path)
            if not trust_file:
                values.update(_without_untrusted(found, variables))
        own = _from_environment(variables, folder)
        if "binary" in own:
            values.pop("trusted_sha256", None)
        if "version" in own:
            values.pop("stranger_version", None)
        values["untrusted"] = {
            key: value for key, value in values.get("untrusted", {}).items() if field_of(key) not in own
        }
        return cls(**{**values, **own})


class ProjectFile:
    """The file with the settings of the current folder, which a command reads once.

    Raises:
        ConfigFileError: The file is malformed.
    """

    def __init__(self) -> None:
        try:
            folder = whole(Path())
        except OptionError:  # it was removed
            self.file = None
        else:
            self.file = find_settings_file(folder)

    @property
    def instance(self) -> str:
        """The instance that it names, else `default`."""
        found = self.file
        if found is None or "name" not in found.table:
            return DEFAULT_NAME
        return str(_from_file(SettingsFile(found.path, {"name": found.table["name"]}, found.text))["name"])


def default_instance(environ: Mapping[str, str] | None = None) -> str:
    """The instance of commands without --name: `DEVSERVER_NAME`, else `name` of the project's settings, else `default`.

    Raises:
        ConfigFileError: The project's file is malformed.
    """
    named = (os.environ if environ is None else environ).get(NAME)
    return named or ProjectFile().instance


def field_of(key: str) -> str:
    """The field of `Settings` for a key."""
    return key.replace("-", "_")


def _without_untrusted(file: SettingsFile, environ: Mapping[str, str]) -> dict[str, Any]:
    """What trust makes of a file with guarded keys: they count, or are None and listed as untrusted."""
    from .trust import TrustStore, compared, guarded

    folder = file.path.parent
    if not compared(file.table, folder):
        return {}
    record = TrustStore(Paths.default(environ)).find(folder, file.table)
    if record is not None:
        return {"trusted_sha256": record.binary_sha256}
    keys = guarded(file.table, folder)
    return {**{field_of(key): None for key in keys}, "untrusted": keys, "stranger_version": "version" in file.table}


def _from_file(file: SettingsFile) -> dict[str, Any]:
    values = {}
    for key, value in file.table.items():
        setting = KEYS.get(key)
        if setting is None:
            raise _unknown(file, KEYS, key)
        try:
            values[field_of(key)] = setting.kind.read(value, file.path.parent)
        except UnknownKey as error:
            raise _unknown(file, error.value, key, *error.path) from None
        except WrongValue as error:
            path = (key, *error.path)
            raise ConfigFileError(
                f"{file.at(*path)}: {file.place}{'.'.join(path)} must be {error.must_be}, not {error.value!r}",
                hint="devserver docs settings describes every key" if error.path else None,
            ) from None
    return values


def _unknown(file: SettingsFile, known: Any, *path: str) -> ConfigFileError:
    near = nearest(path[-1], known)
    where = ".".join(path[:-1])
    return ConfigFileError(
        f"{file.at(*path)}: unknown key {path[-1]!r}"
        + (f" in {file.place}{where}".rstrip() if file.place or where else ""),
        details=[f"valid keys: {', '.join(known)}"],
        hint=f"did you mean {near!r}?" if near else None,
    )


def _from_environment(environ: Mapping[str, str], folder: Path) -> dict[str, Any]:
    values = {}
    for key, setting in KEYS.items():
        name = variable(key)
        text = environ.get(name, "").strip()
        if not text:
            continue
        try:
            values[field_of(key)] = setting.kind.read(setting.kind.typed(text), folder)
        except WrongValue as error:
            what = ".".join(("", *error.path))
            raise OptionError(
                f"{name}{what} must be {error.must_be}, not {text!r}", hint=f"correct or unset {name}"
            ) from None
    return values
