"""One frozen record of the user's settings: defaults, then the project's table, then the environment.

The project's table is `[tool.devserver]`; command-line options come on top of all that in `cli`. Names are
the same everywhere: the key `base-url` is `DEVSERVER_BASE_URL` and `--base-url`.
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
    """What the user has set; None where nothing was said.

    Attributes:
        binary: Path of an executable to run in place (absolute).
        version: Version of the Temporal CLI, or `latest`.
        source: The only source to take the executable from.
        offline: Never touch the network.
        base_url: Where the download service, or a mirror of it, is.
        require_pinned: Refuse an executable whose SHA-256 is not known beforehand.
        accept_sha256: A SHA-256 that is as good as the pinned one.
        tuning: Name of the dynamic configuration.
        port: Port of the frontend.
        ui_port: Port of the Web UI.
        namespaces: Namespaces to make.
        search_attributes: Search attribute name -> type.
        retention: How long closed workflows are kept, such as `30d`.
        file: The pyproject.toml that was read, if any.
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
        """The settings that hold in the folder `cwd` (default: the current one).

        Raises:
            ConfigFileError: The table is malformed, or someone else owns the file.
            OptionError: A `DEVSERVER_*` variable has a value that cannot be used, or the folder is gone.
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
    """The environment variable of a key of the table."""
    return PREFIX + _field(key).upper()


def _find_table(folder: Path) -> tuple[Path, dict[str, Any]] | None:
    """The nearest pyproject.toml upward that has the table, and the table."""
    for parent in (folder, *folder.parents):
        path = parent / FILE
        try:
            text = path.read_text(encoding="utf-8")
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            continue
        except PermissionError as error:
            if parent != folder:  # someone else's
                continue
            raise ConfigFileError(f"you may not read {path}", hint=f"run: chmod u+r {path}") from error
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigFileError(f"cannot read {path}: {error}", hint="see that it is a text you may read") from None
        if TABLE in text:  # cheap: no parser is imported for a project that does not use us
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
        raise ConfigFileError(f"{path} is not valid TOML: {error}", hint="mend the file") from None
    table = table.get(TABLE) if isinstance(table, dict) else None
    if table is not None and not isinstance(table, dict):
        raise ConfigFileError(f"{path}: tool.{TABLE} must be a table", hint=f"write [tool.{TABLE}]")
    return table


def _refuse_strangers_file(path: Path, folder: Path) -> None:
    """A file that another user put above our folder (in /tmp, say) must not choose what we execute."""
    if not hasattr(os, "getuid"):
        return
    owner = path.stat().st_uid
    if owner not in (os.getuid(), 0, folder.stat().st_uid):
        raise ConfigFileError(
            f"{path} belongs to user {owner}, and its settings would choose the program that is run here",
            hint=f"remove it, or work in a folder that has a {FILE} of its own",
        )


def _from_table(path: Path, table: dict[str, Any]) -> dict[str, Any]:
    values = {}
    for key, value in table.items():
        reader = READERS.get(key)
        if reader is None:
            raise ConfigFileError(
                f"{path}: [tool.{TABLE}] has no key {key!r}",
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
            raise OptionError(f"{name} must be {error}, not {text!r}", hint=f"set it right, or unset {name}") from None
    return values
