"""The user's settings: from `[tool.devserver]` in pyproject.toml, and from the environment, which wins.

Command-line options win over both. Names are the same everywhere: the key `base-url` is `DEVSERVER_BASE_URL` and
`--base-url`. Keys of the file that choose what is executed count only in a folder that the user trusts: see `trust`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import ConfigFileError, OptionError
from ..system.paths import Paths, whole
from .project_table import TABLE, find_table
from .settings_parsing import READERS, typed

PREFIX = "DEVSERVER_"


@dataclass(frozen=True)
class Settings:
    """The settings of the user; None where a setting is not given.

    Attributes:
        binary: The absolute path of a Temporal CLI to run.
        version: The version of the Temporal CLI, or `latest`.
        source: The only source of executables to use.
        offline: Never touch the network.
        base_url: The URL of the download service, or of a mirror.
        require_pinned: Reject an executable without a pinned SHA-256.
        accept_sha256: A SHA-256 to accept instead of the pinned one.
        tuning: The name of a set of dynamic configuration values.
        port: The gRPC port.
        ui_port: The port of the Web UI.
        namespaces: The namespaces to create.
        search_attributes: Search attribute name -> type.
        ephemeral_size: The largest size of an ephemeral database, such as `1GiB`.
        retention: The time for which closed workflows are kept, such as `30d`.
        file: The pyproject.toml that was read.
        untrusted: The keys of the file that choose what is executed and do not count, because the user has not
            trusted the file: key -> value.
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
    tuning: str | None = None
    port: int | None = None
    ui_port: int | None = None
    namespaces: tuple[str, ...] | None = None
    search_attributes: Mapping[str, str] | None = None
    ephemeral_size: str | None = None
    retention: str | None = None
    file: Path | None = None
    untrusted: Mapping[str, str] = field(default_factory=dict)
    trusted_sha256: str | None = None
    stranger_version: bool = False

    @classmethod
    def load(
        cls, cwd: Path | None = None, environ: Mapping[str, str] | None = None, *, trust_file: bool = False
    ) -> Settings:
        """The settings for the folder `cwd`, by default the current one.

        Args:
            cwd: The folder.
            environ: The environment variables; by default those of this process.
            trust_file: Take every key of the file, for a caller that runs the folder's own code anyway.

        Raises:
            ConfigFileError: The table is malformed, or another user owns the file.
            OptionError: A `DEVSERVER_*` variable has an invalid value, or the folder was removed.
        """
        folder = whole(cwd or Path())
        variables = os.environ if environ is None else environ
        values: dict[str, Any] = {}
        found = find_table(folder)
        if found is not None:
            values.update(_from_table(*found), file=found[0])
            if not trust_file:
                values.update(_without_untrusted(*found, variables))
        own = _from_environment(variables, folder)
        if "binary" in own:
            values.pop("trusted_sha256", None)
        if "version" in own:
            values.pop("stranger_version", None)
        values["untrusted"] = {
            key: value for key, value in values.get("untrusted", {}).items() if _field(key) not in own
        }
        return cls(**{**values, **own})


def _without_untrusted(path: Path, table: dict[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    """What trust makes of a table with guarded keys: they count, or are None and listed as untrusted."""
    from .trust import TrustStore, compared, guarded

    if not compared(table):
        return {}
    record = TrustStore(Paths.default(environ)).find(path.parent, table)
    if record is not None:
        return {"trusted_sha256": record.binary_sha256}
    keys = guarded(table)
    return {**{_field(key): None for key in keys}, "untrusted": keys, "stranger_version": "version" in table}


def _field(key: str) -> str:
    return key.replace("-", "_")


def variable(key: str) -> str:
    """The environment variable for a key of the table."""
    return PREFIX + _field(key).upper()


def _from_table(path: Path, table: dict[str, Any]) -> dict[str, Any]:
    values = {}
    for key, value in table.items():
        reader = READERS.get(key)
        if reader is None:
            raise ConfigFileError(
                f"{path}: unknown key {key!r} in [tool.{TABLE}]",
                details=[f"valid keys: {', '.join(READERS)}"],
                hint=_did_you_mean(key),
            )
        try:
            values[_field(key)] = reader(value, path.parent)
        except ValueError as error:
            raise ConfigFileError(
                f"{path}: [tool.{TABLE}] {key} must be {error}, not {value!r}",
                details=[f"valid keys: {', '.join(READERS)}"],
            ) from None
    return values


def _did_you_mean(key: str) -> str | None:
    import difflib

    near = difflib.get_close_matches(key.replace("_", "-").lower(), READERS, n=1)
    return f"did you mean {near[0]!r}?" if near else None


def _from_environment(environ: Mapping[str, str], folder: Path) -> dict[str, Any]:
    values = {}
    for key, reader in READERS.items():
        name = variable(key)
        text = environ.get(name, "").strip()
        if not text:
            continue
        try:
            values[_field(key)] = reader(typed(reader, text), folder)
        except ValueError as error:
            raise OptionError(f"{name} must be {error}, not {text!r}", hint=f"correct or unset {name}") from None
    return values
