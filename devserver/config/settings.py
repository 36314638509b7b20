"""The user's settings: from `[tool.devserver]` in pyproject.toml, and from the environment, which wins.

Command-line options win over both. Names are the same everywhere: the key `base-url` is `DEVSERVER_BASE_URL` and
`--base-url`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ConfigFileError, OptionError
from ..system.paths import whole
from .settings_parsing import READERS, typed

FILE = "pyproject.toml"
TABLE = "devserver"
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
        retention: The time for which closed workflows are kept, such as `30d`.
        file: The pyproject.toml that was read.
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
    retention: str | None = None
    file: Path | None = None

    @classmethod
    def load(cls, cwd: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
        """The settings for the folder `cwd`, by default the current one.

        Raises:
            ConfigFileError: The table is malformed, or another user owns the file.
            OptionError: A `DEVSERVER_*` variable has an invalid value, or the folder was removed.
        """
        folder = whole(cwd or Path())
        values: dict[str, Any] = {}
        found = _find_table(folder)
        if found is not None:
            values.update(_from_table(*found), file=found[0])
        values.update(_from_environment(os.environ if environ is None else environ, folder))
        return cls(**values)


def _field(key: str) -> str:
    return key.replace("-", "_")


def variable(key: str) -> str:
    """The environment variable for a key of the table."""
    return PREFIX + _field(key).upper()


def _find_table(folder: Path) -> tuple[Path, dict[str, Any]] | None:
    """The nearest pyproject.toml with the table, in this folder or above, and the table."""
    for parent in (folder, *folder.parents):
        path = parent / FILE
        try:
            text = path.read_text(encoding="utf-8")
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            continue
        except PermissionError as error:
            if parent != folder:  # another user's
                continue
            raise ConfigFileError(f"you may not read {path}", hint=f"run: chmod u+r {path}") from error
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigFileError(
                f"cannot read {path}: {error}", hint="check that it is a readable text file"
            ) from None
        if TABLE in text:  # no parser is imported for a project without our table
            table = _parse(path, text)
            if table is not None:
                _refuse_strangers_file(path, folder)
                return path, table
    return None


def _parse(path: Path, text: str) -> dict[str, Any] | None:
    import importlib
    import sys

    toml = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    try:
        table = toml.loads(text).get("tool", {})
    except (ValueError, RecursionError) as error:  # TOMLDecodeError, numbers too long, tables too deep
        raise ConfigFileError(f"{path} is not valid TOML: {error}", hint="fix the file") from None
    table = table.get(TABLE) if isinstance(table, dict) else None
    if table is not None and not isinstance(table, dict):
        raise ConfigFileError(f"{path}: tool.{TABLE} must be a table", hint=f"write [tool.{TABLE}]")
    return table


def _refuse_strangers_file(path: Path, folder: Path) -> None:
    """Reject a file of another user above our folder, in /tmp for example: it must not choose what we execute."""
    if not hasattr(os, "getuid"):
        return
    owner = path.stat().st_uid
    if owner not in (os.getuid(), 0, folder.stat().st_uid):
        raise ConfigFileError(
            f"{path} belongs to user {owner}, and its settings choose the program to run",
            hint=f"remove it, or work in a folder with its own {FILE}",
        )


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
