"""Restoring a snapshot: checked, with a copy of the replaced file, in one atomic step."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from ..errors import DatabaseCorrupt, DatabaseError, DatabaseTooNew
from ..system.files import private_folder, sha256_of
from ..system.timefmt import utc_for_names, utc_now
from .header import sidecar, size_of
from .lock import DatabaseLease, resolved
from .retention import BEFORE_RESTORE, KEPT, prune_replaced
from .snapshots import Snapshot, save, unused_name
from .sqlite import (
    SIDECARS,
    beside,
    connect,
    create_private,
    disk_full,
    integrity,
    our_errors,
    refuse_damage,
    remove_leftovers,
    remove_whole,
    replace_file,
    settle,
    sync,
)
from .stamp import Stamp, forget_stamp, read_stamp, write_stamp
from .stopped_database import keep_closed
from .users import refuse_users
from .versions import age

RESTORE = "restore"

Note = Callable[[str], None]


def restore_into(
    snapshot: Snapshot,
    db: Path,
    *,
    lease: DatabaseLease | None = None,
    keep_in: Path | None = None,
    keep_closed_for: float | None = None,
    note: Note = lambda text: None,
) -> Snapshot | None:
    """Replace `db`, whose server must be stopped, with the snapshot; returns a snapshot of the replaced database.

    The file is owned meanwhile; pass your lease if you have one. What was there goes to `keep_in`, else beside
    the snapshot; a damaged file is kept there as it is, and None returned. With `keep_closed_for` (in seconds) the
    server does not delete closed workflows earlier, however old the snapshot is.

    Raises:
        DatabaseCorrupt: The snapshot has changed since it was saved. `db` is as it was.
        DatabaseInUse: A server runs on `db`.
    """
    db = resolved(db)
    if lease is None:
        with DatabaseLease.acquire(db, "devserver snapshot restore") as own:
            return restore_into(snapshot, db, lease=own, keep_in=keep_in, keep_closed_for=keep_closed_for, note=note)
    refuse_users(db)
    remove_leftovers(db, RESTORE)
    aside = beside(db, RESTORE)
    try:
        _bring(snapshot, aside)
        if keep_closed_for is not None:
            keep_closed(aside, keep_closed_for)
            settle(aside)
        kept = _keep(db, keep_in or snapshot.folder.parent, note)
        forget_stamp(db)  # before the exchange: a stamp must never tell of another file
        replace_file(aside, db)
        _stamp(db, snapshot)
    finally:
        remove_whole(aside)
    return kept


def is_newer(snapshot: Snapshot, server_version: str) -> bool:
    """Whether a newer server than this version saved the snapshot."""
    return age(snapshot.server_version, server_version) == "newer"


def refuse_newer(snapshot: Snapshot, server_version: str) -> None:
    """Raise DatabaseTooNew if a server of that version cannot run on the snapshot."""
    if is_newer(snapshot, server_version):
        raise DatabaseTooNew(
            f"the snapshot {snapshot.name} was saved from server {snapshot.server_version}, "
            f"and the instance runs {server_version}",
            details=["nothing was changed"],
            hint=f"start it with --version {snapshot.cli_version or 'VERSION'} first",
        )


def _bring(snapshot: Snapshot, aside: Path) -> None:
    with our_errors(aside):
        if shutil.disk_usage(aside.parent).free < size_of(snapshot.database):
            raise disk_full(aside, f"{snapshot.size} bytes are needed")
        create_private(aside)
        shutil.copyfile(snapshot.database, aside)
        found = sha256_of(aside)
    if found != snapshot.sha256:
        raise DatabaseCorrupt(
            f"the snapshot {snapshot.name} has changed since it was saved",
            details=[f"expected SHA-256 {snapshot.sha256}", f"found {found} in {snapshot.database}"],
            hint="the server's database was not changed; restore another snapshot",
        )
    with connect(aside, "immutable") as connection:
        refuse_damage(snapshot.database, integrity(connection))
    sync(aside)


def _keep(db: Path, folder: Path, note: Note) -> Snapshot | None:
    """Save the state of `db`, and leave it without journal and log."""
    if not size_of(db):
        return None
    stamp = read_stamp(db)
    name = f"{BEFORE_RESTORE}{utc_for_names()}"
    try:
        kept = save(
            db,
            folder,
            unused_name(folder, name),
            server_version=stamp.last_written_by if stamp else None,
            cli_version=stamp.last_written_by_cli if stamp else None,
        )
        settle(db)
    except DatabaseCorrupt as error:
        _set_aside(db, unused_name(folder, f"damaged-{utc_for_names()}"), folder, note, error)
        return None
    for deleted in prune_replaced(folder):
        note(f"deleted {deleted}: the newest {KEPT} of these are kept")
    return kept


def _set_aside(db: Path, name: str, folder: Path, note: Note, error: DatabaseError) -> None:
    """A damaged file cannot be saved: copy it as it is, with journal and log."""
    target = folder / name
    with our_errors(target):
        private_folder(target)
        for path in (db, *(sidecar(db, ending) for ending in SIDECARS)):
            if path.exists():
                shutil.copy2(path, target / path.name)
        sync(target)
    note(f"the replaced database is damaged; a copy is in {target} ({error.message})")


def _stamp(db: Path, snapshot: Snapshot) -> None:
    if snapshot.server_version is None:
        return
    stamp = Stamp(
        last_written_by=snapshot.server_version,
        last_written_by_cli=snapshot.cli_version,
        last_written_at=utc_now(),
    )
    write_stamp(db, stamp)
