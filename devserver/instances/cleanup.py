"""Putting in order what killed processes left: orphaned servers, folders in memory, anonymous instances."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

from ..errors import DevServerError, FolderNotWritable
from ..system.filelocks import LockedFile
from ..system.paths import Paths
from . import ephemeral_database
from .folder import discard_unkept, lock_path, mark_keep
from .leases import holders
from .record import ANONYMOUS, CRASHED, READY, STARTING, STOPPING, Record, names, read_record, write_record
from .spawn_supervisor import end_orphans


def tidy(paths: Paths) -> None:
    """Put in order what killed processes left: orphaned servers, folders in memory, anonymous instances."""
    recorded = names(paths)
    if not paths.instances.is_dir():
        return
    in_memory = ephemeral_database.existing_folders(paths.instances)
    for name in sorted({*recorded, *_anonymous(paths), *in_memory}):
        lock = LockedFile.attempt(lock_path(paths.instance(name)), str(os.getpid()))
        if lock is None:
            continue
        try:
            _tidy_one(paths, name, in_memory.get(name, []))
        finally:
            lock.release(remove=not paths.instance(name).exists())


def _anonymous(paths: Paths) -> list[str]:
    """Anonymous instances, those that were killed before they had a record too."""
    # Python before 3.11 lets a pattern that ends with a slash match files too: the locks beside the folders.
    return [folder.name for folder in paths.instances.glob(f"{ANONYMOUS}*") if folder.is_dir()]


def _tidy_one(paths: Paths, name: str, in_memory: list[Path]) -> None:
    folder = paths.instance(name)
    try:
        record = read_record(paths, name)
    except DevServerError:
        return  # whoever asks for this instance is told
    if record is not None and not record.supervised():
        _settle(folder, record)
    elif record is None and folder.name.startswith(ANONYMOUS) and not holders(folder):
        shutil.rmtree(folder, ignore_errors=True)
    for left in in_memory:
        if record is None or record.database.parent != left:
            _discard_unused(left)


def _settle(folder: Path, record: Record) -> None:
    end_orphans(record)
    if record.state in (STARTING, READY, STOPPING):
        exit_ = record.exit or "its supervisor was killed"
        with contextlib.suppress(FolderNotWritable):  # a full disk; whoever reads the record sees for themselves
            write_record(folder, record.changed(state=CRASHED, exit=exit_, server=None))
    if not holders(folder):
        mark_keep(folder, False)
        discard_unkept(folder, record.database, record.options.ephemeral)


def _discard_unused(left: Path) -> None:
    """Remove a folder in memory that no record tells of; its server may run all the same, if the record was lost."""
    from ..database import other_users

    database = left / "temporal.db"
    if not other_users(database):
        ephemeral_database.remove(database)
