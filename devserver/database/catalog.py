"""The catalog of snapshots: their records, names, listing and deletion."""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import OptionError
from ..system.files import unreadable, write_private
from .errors import SnapshotUnknown
from .sqlite import our_errors

DATABASE = "temporal.db"
METADATA = "snapshot.json"
UNFINISHED = ".unfinished-"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}\Z")


@dataclass(frozen=True)
class SnapshotRecord:
    """What is known of a snapshot, wherever it is."""

    name: str
    created: str
    size: int
    sha256: str
    server_version: str | None
    cli_version: str | None
    instance: str | None


@dataclass(frozen=True)
class Snapshot(SnapshotRecord):
    """One snapshot: its record and its folder."""

    folder: Path

    @property
    def database(self) -> Path:
        """The database file."""
        return self.folder / DATABASE

    def to_json(self) -> dict[str, Any]:
        """The form in which `snapshot list --json` prints it."""
        return asdict(self) | {"folder": str(self.folder)}


def list_(folder: Path) -> list[Snapshot]:
    """The snapshots in `folder`, oldest first."""
    try:
        found = [_read(path) for path in folder.iterdir() if not path.name.startswith(".")]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise unreadable(folder, error) from error
    return sorted((snapshot for snapshot in found if snapshot), key=lambda each: (each.created, each.name))


def get(folder: Path, name: str) -> Snapshot:
    """The snapshot with that name.

    Raises:
        SnapshotUnknown: There is none; the details say which there are.
    """
    snapshot = _read(folder / check_name(name))
    if snapshot is None:
        there = ", ".join(item.name for item in list_(folder)) or "none"
        raise SnapshotUnknown(
            f"there is no snapshot {name}",
            details=[f"snapshots in {folder}: {there}"],
            hint="devserver snapshot list shows them",
        )
    return snapshot


def delete(folder: Path, name: str) -> Snapshot:
    """Delete the snapshot with that name, and return it.

    Raises:
        SnapshotUnknown: There is none.
    """
    snapshot = get(folder, name)
    doomed = folder / f"{UNFINISHED}{os.getpid()}-deleted-{name}"
    with our_errors(snapshot.folder):
        snapshot.folder.rename(doomed)
        shutil.rmtree(doomed)
    return snapshot


def check_name(name: str) -> str:
    """`name`, if a snapshot may be called that.

    Raises:
        OptionError: It may not.
    """
    if not _NAME.match(name):
        raise OptionError(
            f"{name!r} is not a valid snapshot name",
            hint="use at most 63 letters, digits, dots, dashes and underscores, beginning with a letter or digit",
        )
    return name


def write_metadata(aside: Path, snapshot: Snapshot) -> None:
    """Write the record of `snapshot` into the folder that will be its own."""
    data = snapshot.to_json()
    del data["folder"]
    write_private(aside / METADATA, json.dumps(data, indent=2) + "\n")


def _read(path: Path) -> Snapshot | None:
    try:
        data = json.loads((path / METADATA).read_text())
        known = {key: data[key] for key in Snapshot.__dataclass_fields__ if key not in ("folder", "name")}
        return Snapshot(name=path.name, **known, folder=path)  # a folder may have been renamed
    except (OSError, ValueError, KeyError, TypeError):
        return None
