"""Snapshots: named copies of a database, each a folder that appears whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import DatabaseError, OptionError, SnapshotExists, SnapshotUnknown
from ..files import private_folder, write_private
from .sqlite import connect, copy_whole, integrity, refuse_damage, sync, told_clearly
from .stamp import utc_for_names, utc_now

DATABASE = "temporal.db"
METADATA = "snapshot.json"
UNFINISHED = ".unfinished-"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}\Z")

Note = Callable[[str], None]


@dataclass(frozen=True)
class Snapshot:
    """One snapshot: what is known of it, and its folder."""

    name: str
    created: str
    size: int
    sha256: str
    server_version: str | None
    cli_version: str | None
    instance: str | None
    folder: Path

    @property
    def database(self) -> Path:
        """The copy itself."""
        return self.folder / DATABASE

    def to_json(self) -> dict[str, Any]:
        """The form in which `snapshot list --json` prints it."""
        return asdict(self) | {"folder": str(self.folder)}


def save(
    db: Path,
    folder: Path,
    name: str | None = None,
    *,
    server_version: str | None,
    cli_version: str | None = None,
    instance: str | None = None,
    note: Note = lambda text: None,
) -> Snapshot:
    """Copy `db` as it is at this moment into `folder`; a server may run on it and is not stopped.

    Without a name the snapshot is named after the time.

    Raises:
        SnapshotExists: One of that name is there.
        DatabaseError: There is nothing to copy, or no room; nothing is left behind.
    """
    db = db.resolve()
    private_folder(folder)
    name = _unused(folder, utc_for_names()) if name is None else check_name(name)
    if (folder / name).exists():
        raise _exists(name)
    if not db.is_file():
        raise DatabaseError(f"there is no database {db} to save", hint="start the server once")
    _remove_unfinished(folder)
    with _aside(folder, name) as aside:
        note(f"copying {db}")
        copy_whole(db, aside / DATABASE)
        snapshot = Snapshot(
            name=name,
            created=utc_now(),
            size=(aside / DATABASE).stat().st_size,
            sha256=_checked(aside / DATABASE, db),
            server_version=server_version,
            cli_version=cli_version,
            instance=instance,
            folder=folder / name,
        )
        _write_metadata(aside, snapshot)
    return snapshot


def list_(folder: Path) -> list[Snapshot]:
    """The snapshots in `folder`, oldest first."""
    if not folder.is_dir():
        return []
    found = [_read(path) for path in folder.iterdir() if not path.name.startswith(".")]
    return sorted((snapshot for snapshot in found if snapshot), key=lambda each: (each.created, each.name))


def get(folder: Path, name: str) -> Snapshot:
    """The snapshot of that name.

    Raises:
        SnapshotUnknown: There is none; the details say which there are.
    """
    snapshot = _read(folder / check_name(name))
    if snapshot is None:
        there = ", ".join(each.name for each in list_(folder)) or "none"
        raise SnapshotUnknown(
            f"there is no snapshot {name}",
            details=[f"snapshots in {folder}: {there}"],
            hint="devserver snapshot list shows them",
        )
    return snapshot


def delete(folder: Path, name: str) -> Snapshot:
    """Delete the snapshot of that name; what it was.

    Raises:
        SnapshotUnknown: There is none.
    """
    snapshot = get(folder, name)
    doomed = folder / f"{UNFINISHED}{os.getpid()}-deleted-{name}"
    with told_clearly(snapshot.folder):
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
            f"{name!r} cannot name a snapshot",
            hint="a name begins with a letter or digit and has up to 63 letters, digits, '.', '_' and '-'",
        )
    return name


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _checked(copy: Path, db: Path) -> str:
    with connect(copy, "immutable") as connection:
        refuse_damage(db, integrity(connection))
    with told_clearly(copy):
        return sha256_of(copy)


@contextlib.contextmanager
def _aside(folder: Path, name: str) -> Iterator[Path]:
    """A folder to be filled, which becomes `folder / name` at the end or is removed."""
    aside = folder / f"{UNFINISHED}{os.getpid()}-{name}"
    try:
        with told_clearly(folder):
            aside.mkdir(mode=0o700)
        yield aside
        with told_clearly(folder):
            sync(aside)
            _publish(aside, folder / name)
            sync(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _publish(aside: Path, target: Path) -> None:
    try:
        aside.rename(target)
    except OSError as error:
        if target.exists():  # another process was faster
            raise _exists(target.name) from error
        raise


def _write_metadata(aside: Path, snapshot: Snapshot) -> None:
    data = snapshot.to_json()
    del data["folder"]
    write_private(aside / METADATA, json.dumps(data, indent=2) + "\n")


def _read(path: Path) -> Snapshot | None:
    try:
        data = json.loads((path / METADATA).read_text())
        known = {key: data[key] for key in Snapshot.__dataclass_fields__ if key != "folder"}
        return Snapshot(**known, folder=path)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _unused(folder: Path, name: str) -> str:
    number, unused = 1, name
    while (folder / unused).exists():
        number += 1
        unused = f"{name}-{number}"
    return unused


def _exists(name: str) -> SnapshotExists:
    return SnapshotExists(
        f"there is a snapshot {name} already",
        hint=f"choose another name, or remove it: devserver snapshot delete {name}",
    )


def _remove_unfinished(folder: Path) -> None:
    """Remove what a killed process left half done."""
    for path in folder.glob(f"{UNFINISHED}*"):
        pid = path.name.removeprefix(UNFINISHED).split("-", 1)[0]
        if pid.isdigit() and not _alive(int(pid)):
            shutil.rmtree(path, ignore_errors=True)


def _alive(pid: int) -> bool:
    from ..process import Identity

    return Identity.of(pid) is not None
