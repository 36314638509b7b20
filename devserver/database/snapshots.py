"""Saving a snapshot: a named copy of a database, in a folder that appears complete or not at all."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from os import getpid
from pathlib import Path

from ..errors import DatabaseError
from ..system.files import private_folder, sha256_of
from ..system.timefmt import utc_for_names, utc_now
from .catalog import DATABASE, UNFINISHED, Snapshot, check_name, delete, get, list_, write_metadata
from .errors import SnapshotExists
from .header import size_of
from .sqlite import connect, copy_whole, integrity, our_errors, refuse_damage, sync

__all__ = ["Snapshot", "delete", "get", "list_", "save", "unused_name"]

LARGE = 100_000_000

Note = Callable[[str], None]


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
    name = unused_name(folder, utc_for_names()) if name is None else check_name(name)
    refuse_existing(folder, name)
    if not db.is_file():
        raise DatabaseError(f"the database {db} does not exist", hint="start the server once")
    remove_unfinished(folder)
    with aside_folder(folder, name) as aside:
        if size_of(db) > LARGE:
            note(f"copying {db} ({size_of(db) / 1e6:.0f} MB)")
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
        write_metadata(aside, snapshot)
    return snapshot


def _checked(copy: Path, db: Path) -> str:
    with connect(copy, "immutable") as connection:
        refuse_damage(db, integrity(connection))
    with our_errors(copy):
        return sha256_of(copy)


@contextlib.contextmanager
def aside_folder(folder: Path, name: str) -> Iterator[Path]:
    """A folder to be filled, which becomes `folder / name` at the end or is removed."""
    aside = folder / f"{UNFINISHED}{getpid()}-{name}"
    try:
        with our_errors(folder):
            aside.mkdir(mode=0o700)
        yield aside
        with our_errors(folder):
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


def unused_name(folder: Path, name: str) -> str:
    """`name`, or the first of `name-2`, `name-3` and so on that is free in `folder`."""
    number, unused = 1, name
    while (folder / unused).exists():
        number += 1
        unused = f"{name}-{number}"
    return unused


def refuse_existing(folder: Path, name: str) -> None:
    """Raise SnapshotExists if `folder` has a snapshot of that name."""
    if (folder / name).exists():
        raise _exists(name)


def _exists(name: str) -> SnapshotExists:
    return SnapshotExists(
        f"the snapshot {name} exists already",
        hint=f"choose another name, or remove it: devserver snapshot delete {name}",
    )


def remove_unfinished(folder: Path) -> None:
    """Remove what a killed process left half done."""
    from ..system.process import has_ended

    for path in folder.glob(f"{UNFINISHED}*"):
        pid = path.name.removeprefix(UNFINISHED).split("-", 1)[0]
        if has_ended(pid):
            shutil.rmtree(path, ignore_errors=True)
