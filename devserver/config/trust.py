"""Trust in the settings of a checkout that choose what is executed, as direnv and mise have it.

The settings of a checkout that a user has only looked at must not run a program, let others reach the server or its
data, or open a database elsewhere. These keys count once the user has said so with `devserver trust`; that holds for
the folder and these values, so that an edit elsewhere in the file does not end it, and a change of one of them does.
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

from ..errors import FolderNotWritable, UntrustedSettings
from ..system.files import private_folder, refuse_unsafe, write_private
from ..system.paths import Paths
from ..system.redact import shown_value, without_user
from .settings_file import FILES, settings_file_in

# Keys that choose or fetch what is executed.
EXECUTED = ("binary", "source", "base-url", "accept-sha256")
# Keys that let others reach the server, or send its data elsewhere: other machines, pages in a browser, a codec server.
EXPOSING = ("ip", "allow-remote", "ui-ip", "http-port", "ui-codec-endpoint", "ui-asset-path")
GUARDED = (*EXECUTED, *EXPOSING)
COMPARED = (*GUARDED, "version", "require-pinned")
DATABASE = "db-filename"  # guarded if it is outside of the project
DYNAMIC = "dynamic-config"  # guarded if it has one of these
OPENING = ("frontend.httpAllowedHosts", "component.callbacks.allowedAddresses")


@dataclass(frozen=True)
class TrustedFolder:
    """A folder that the user trusts.

    Attributes:
        folder: The folder, absolute and without symbolic links.
        values: Guarded key -> value of its settings when the user trusted it.
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
        matches = record is not None and record.folder == folder.resolve() and record.values == compared(values, folder)
        return record if matches else None

    def covers(self, path: Path) -> bool:
        """Whether a file or folder is part of a trusted project whose guarded settings are still the trusted ones.

        A project inside a trusted one (its own file for settings, or .git) has to be trusted itself.
        """
        path = path.resolve()
        for folder in (path, *path.parents):
            file = settings_file_in(folder)
            if self.find(folder, file.table if file else {}) is not None:
                return True
            if any((folder / name).exists() for name in (*FILES, ".git")):
                return False
        return False

    def add(self, folder: Path, values: Mapping[str, Any], binary_sha256: str | None = None) -> TrustedFolder:
        """Trust a folder with these settings.

        Raises:
            FolderNotWritable, UnsafeFolder: The record cannot be written.
        """
        record = TrustedFolder(folder.resolve(), compared(values, folder), binary_sha256, time.time())
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


def guarded(values: Mapping[str, Any], folder: Path) -> dict[str, str]:
    """The guarded ones of the values of a folder's settings, as text."""
    return _some_of(values, GUARDED, folder)


def compared(values: Mapping[str, Any], folder: Path) -> dict[str, str]:
    """The values whose change ends the trust: the guarded ones, and what they are used for."""
    return _some_of(values, COMPARED, folder)


def refuse_untrusted(file: Path | None, keys: Mapping[str, str], what: str) -> None:
    """Raise UntrustedSettings if the settings of a file have keys that the user has not trusted.

    Args:
        file: The file.
        keys: Key -> value as text.
        what: What the file does with them, such as `chooses the program to run`.
    """
    if not keys or file is None:
        return
    import shlex

    options = ", ".join(f"--{key}" for key in keys)
    raise UntrustedSettings(
        f"{file} {what}, and you have not trusted it",
        details=[f"{key} = {shown_value(value)}" for key, value in keys.items()],
        hint=f"if you trust these settings: devserver trust {shlex.quote(str(file.parent))}; "
        f"otherwise give your own as options ({options})",
    )


def _some_of(values: Mapping[str, Any], keys: Sequence[str], folder: Path) -> dict[str, str]:
    found = {key: str(values[key]) for key in keys if key in values}
    if "base-url" in found:  # its user and password are not kept, and do not choose what is executed
        found["base-url"] = without_user(found["base-url"])
    if DATABASE in values and not _inside(str(values[DATABASE]), folder):
        found[DATABASE] = str(values[DATABASE])
    dynamic = values.get(DYNAMIC)
    opening = {key: dynamic[key] for key in OPENING if key in dynamic} if isinstance(dynamic, dict) else {}
    if opening:
        found[DYNAMIC] = json.dumps(opening, default=str)
    return found


def _inside(path: str, folder: Path) -> bool:
    """Whether a path of the settings is in the project, also behind symbolic links."""
    if path.startswith("~"):
        return False
    try:
        return (folder / path).resolve().is_relative_to(folder.resolve())
    except (OSError, ValueError, RuntimeError):
        return False


def _read(path: Path) -> TrustedFolder | None:
    try:
        data = json.loads(path.read_bytes())
        values = {str(key): str(value) for key, value in data["values"].items()}
        return TrustedFolder(Path(data["folder"]), values, data["binary_sha256"], float(data["at"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
