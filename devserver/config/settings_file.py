"""The file with a project's settings: `[tool.devserver]` in pyproject.toml, or temporal-devserver.toml."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Any

from ..errors import ConfigFileError
from .toml_text import line_of, loads

PYPROJECT = "pyproject.toml"
OWN_FILE = "temporal-devserver.toml"
FILES = (PYPROJECT, OWN_FILE)
TABLE = "devserver"
MOST_BYTES = 1 << 20


class SettingsFile:
    """A file with settings.

    Args:
        path: The file.
        table: Its settings: the table in pyproject.toml, or all of temporal-devserver.toml.
        text: Its text.
    """

    def __init__(self, path: Path, table: dict[str, Any], text: str) -> None:
        self.path = path
        self.table = table
        self.text = text

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that lead to the settings."""
        return ("tool", TABLE) if self.path.name == PYPROJECT else ()

    @property
    def place(self) -> str:
        """Where in the file the settings are, with a space behind it; empty for a file of our own."""
        return f"[tool.{TABLE}] " if self.keys else ""

    def line_of(self, *path: str) -> int | None:
        """The line of a setting, or of a key in it; None if it cannot be found."""
        return line_of(self.text, (*self.keys, *path))

    def at(self, *path: str) -> str:
        """A place for a message: the file, with the line if it can be found."""
        line = self.line_of(*path)
        return f"{self.path}:{line}" if line else str(self.path)


def find_settings_file(folder: Path) -> SettingsFile | None:
    """The nearest file with settings, in this folder or above.

    Raises:
        ConfigFileError: It is malformed, another user owns it, or both files of a folder have settings.
    """
    for parent in (folder, *folder.parents):
        found = [file for file in (_read(parent / name, strict=parent == folder) for name in FILES) if file]
        if found:
            _refuse_two(found)
            _refuse_strangers_file(found[0].path, folder)
            return found[0]
    return None


def settings_file_in(folder: Path) -> SettingsFile | None:
    """The file with settings in a folder; None if it has none.

    Raises:
        ConfigFileError: It is malformed, or both files have settings.
    """
    found = []
    for name in FILES:
        try:
            text = _text_of(folder / name)
        except (OSError, UnicodeDecodeError):
            continue
        file = _parse(folder / name, text)
        found += [file] if file else []
    _refuse_two(found)
    return found[0] if found else None


def _refuse_two(found: list[SettingsFile]) -> None:
    if len(found) > 1:
        raise ConfigFileError(
            f"{found[0].path.parent} has two files with settings",
            details=[f"[tool.{TABLE}] in {PYPROJECT}", OWN_FILE],
            hint="keep one: move the settings of the other into it",
        )


def _read(path: Path, *, strict: bool) -> SettingsFile | None:
    """The settings in a file; None if there are none. One that cannot be read is an error only if `strict`."""
    try:
        text = _text_of(path)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except PermissionError as error:
        if not strict:  # another user's
            return None
        raise ConfigFileError(f"you may not read {path}", hint=f"run: chmod u+r {path}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigFileError(f"cannot read {path}: {error}", hint="check that it is a readable text file") from None
    return _parse(path, text)


def _text_of(path: Path) -> str:
    """The text of a regular file of a sane size: a pipe would block, and a device would never end."""
    with os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise IsADirectoryError(errno.EISDIR, "it is no regular file", str(path))
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise OSError(errno.EFBIG, f"it is larger than {MOST_BYTES >> 20} MiB", str(path))
    return data.decode("utf-8")


def read_toml(path: Path) -> dict[str, Any]:
    """The content of a TOML file; an OSError or a ValueError if there is none."""
    return loads(_text_of(path))


def _parse(path: Path, text: str) -> SettingsFile | None:
    own = path.name == OWN_FILE
    if not own and TABLE not in text:  # no parser is imported for a project without our table
        return None
    try:
        content = loads(text)
    except (ValueError, RecursionError) as error:  # TOMLDecodeError, numbers too long, tables too deep
        raise ConfigFileError(f"{path} is not valid TOML: {error}", hint="fix the file") from None
    if own:
        _refuse_pyproject_form(path, content)
        return SettingsFile(path, content, text)
    tool = content.get("tool", {})
    table = tool.get(TABLE) if isinstance(tool, dict) else None
    if table is not None and not isinstance(table, dict):
        raise ConfigFileError(f"{path}: tool.{TABLE} must be a table", hint=f"write [tool.{TABLE}]")
    return None if table is None else SettingsFile(path, table, text)


def _refuse_pyproject_form(path: Path, content: dict[str, Any]) -> None:
    tool = content.get("tool")
    if isinstance(tool, dict) and TABLE in tool:
        raise ConfigFileError(
            f"{path}: [tool.{TABLE}] is the form of {PYPROJECT}",
            hint="write the keys without a table, such as: port = 7300",
        )


def _refuse_strangers_file(path: Path, folder: Path) -> None:
    """Reject a file of another user above our folder, in /tmp for example: it must not choose what we execute."""
    if not hasattr(os, "getuid"):
        return
    owner = path.stat().st_uid
    if owner not in (os.getuid(), 0, folder.stat().st_uid):
        raise ConfigFileError(
            f"{path} belongs to user {owner}, and its settings choose the program to run",
            hint=f"remove it, or work in a folder with its own {path.name}",
        )
