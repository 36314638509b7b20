"""The table `[tool.devserver]` of a project's pyproject.toml."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Any

from ..errors import ConfigFileError

FILE = "pyproject.toml"
TABLE = "devserver"
MOST_BYTES = 1 << 20


def find_table(folder: Path) -> tuple[Path, dict[str, Any]] | None:
    """The nearest pyproject.toml with the table, in this folder or above, and the table.

    Raises:
        ConfigFileError: The file or the table is malformed, or another user owns the file.
    """
    for parent in (folder, *folder.parents):
        path = parent / FILE
        try:
            text = _text_of(path)
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
    return _loads(_text_of(path))


def _loads(text: str) -> dict[str, Any]:
    import importlib
    import sys

    toml = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    content: dict[str, Any] = toml.loads(text)
    return content


def _parse(path: Path, text: str) -> dict[str, Any] | None:
    try:
        table = _loads(text).get("tool", {})
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


def table_in(folder: Path) -> dict[str, Any] | None:
    """The table [tool.devserver] of the pyproject.toml in a folder; None if it has none.

    Raises:
        ConfigFileError: The file or the table is malformed.
    """
    path = folder / FILE
    try:
        text = _text_of(path)
    except (OSError, UnicodeDecodeError):
        return None
    return _parse(path, text) if TABLE in text else None
