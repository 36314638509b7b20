"""Trust in the settings of a checkout that choose what is executed, as direnv and mise have it.

`[tool.devserver]` of a checkout that a user has only looked at must not run a program. These keys count once the user
has said so with `devserver trust`; that holds for the file's path and these values, so that an edit elsewhere in
pyproject.toml does not end it, and a change of one of them does.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import FolderNotWritable
from ..system.files import private_folder, refuse_unsafe, write_private
from ..system.paths import Paths
from ..system.redact import without_user
from .project_table import FILE, table_in

# Keys of [tool.devserver] that choose or fetch what is executed.
GUARDED = ("binary", "source", "base-url", "accept-sha256")
COMPARED = (*GUARDED, "version", "require-pinned")


@dataclass(frozen=True)
class TrustedFolder:
    """A folder that the user trusts.

    Attributes:
        folder: The folder, absolute and without symbolic links.
        values: Guarded key -> value of its pyproject.toml when the user trusted it.
        binary_sha256: The SHA-256 of the file that `binary` named then; None without one.
        at: When, in seconds since 1970.
    """

    folder: Path
    values: Mapping[str, str]
    binary_sha256: str | None
    at: float


class TrustStore:
    """The folders that this user trusts, a file for each.

    Args:
        paths: Where our files are.
    """

    def __init__(self, paths: Paths) -> None:
        self._state = paths.state
        self._folder = paths.state / "trust"

    def find(self, folder: Path, values: Mapping[str, Any]) -> TrustedFolder | None:
        """The record of a folder with just these guarded values; None if the user does not trust it.

        Raises:
            UnsafeFolder: Others may write to the records.
        """
        self._refuse_unsafe()
        record = _read(self._file(folder))
        matches = record is not None and record.folder == folder.resolve() and record.values == compared(values)
        return record if matches else None

    def covers(self, path: Path) -> bool:
        """Whether a file or folder is part of a trusted project whose guarded settings are still the trusted ones.

        A project inside a trusted one (its own pyproject.toml or .git) has to be trusted itself.
        """
        path = path.resolve()
        for folder in (path, *path.parents):
            if self.find(folder, table_in(folder) or {}) is not None:
                return True
            if (folder / FILE).exists() or (folder / ".git").exists():
                return False
        return False

    def add(self, folder: Path, values: Mapping[str, Any], binary_sha256: str | None = None) -> TrustedFolder:
        """Trust a folder with these settings.

        Raises:
            FolderNotWritable, UnsafeFolder: The record cannot be written.
        """
        record = TrustedFolder(folder.resolve(), compared(values), binary_sha256, time.time())
        data = {**vars(record), "folder": str(record.folder)}
        private_folder(self._folder)
        self._refuse_unsafe()
        write_private(self._file(folder), json.dumps(data, indent=2) + "\n")
        return record

    def remove(self, folder: Path) -> bool:
        """End the trust in a folder; returns whether there was any.

        Raises:
            FolderNotWritable: The record cannot be removed.
        """
        try:
            self._file(folder).unlink()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise FolderNotWritable(f"cannot remove {self._file(folder)}: {error.strerror}") from error
        return True

    def all(self) -> list[TrustedFolder]:
        """All trusted folders, by their path.

        Raises:
            UnsafeFolder: Others may write to the records.
        """
        self._refuse_unsafe()
        records: list[TrustedFolder | None] = []
        with contextlib.suppress(OSError):
            records = [_read(path) for path in self._folder.glob("*.json")]
        return sorted((record for record in records if record is not None), key=lambda record: record.folder)

    def _refuse_unsafe(self) -> None:
        """Who may write to the folder above could put another one in the place of ours."""
        for folder in (self._state, self._folder):
            refuse_unsafe(folder)

    def _file(self, folder: Path) -> Path:
        import hashlib

        return self._folder / f"{hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()}.json"


def guarded(values: Mapping[str, Any]) -> dict[str, str]:
    """The guarded ones of the values of a table, as text."""
    return _some_of(values, GUARDED)


def compared(values: Mapping[str, Any]) -> dict[str, str]:
    """The values whose change ends the trust: the guarded ones, and what they are used for."""
    return _some_of(values, COMPARED)


def _some_of(values: Mapping[str, Any], keys: Sequence[str]) -> dict[str, str]:
    found = {key: str(values[key]) for key in keys if key in values}
    if "base-url" in found:  # its user and password are not kept, and do not choose what is executed
        found["base-url"] = without_user(found["base-url"])
    return found


def _read(path: Path) -> TrustedFolder | None:
    try:
        data = json.loads(path.read_bytes())
        values = {str(key): str(value) for key, value in data["values"].items()}
        return TrustedFolder(Path(data["folder"]), values, data["binary_sha256"], float(data["at"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
