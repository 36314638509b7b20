"""Putting in order what killed processes left: orphaned servers, folders in memory, anonymous instances."""

from __future__ import annotations

import os

from .detached import end_orphans
from .leases import holders
from .locks import LockedFile
from .paths import Paths
from .record import CRASHED, READY, STARTING, STOPPING, names, read_record, write_record
from .state import discard_unkept, lock_path, mark_keep


def tidy(paths: Paths) -> None:
    """Put in order what killed processes left: orphaned servers, folders in memory, anonymous instances."""
    for name in names(paths):
        lock = LockedFile.attempt(lock_path(paths.instance(name)), str(os.getpid()))
        if lock is None:
            continue
        try:
            _tidy_one(paths, name)
        finally:
            lock.release(remove=not paths.instance(name).exists())


def _tidy_one(paths: Paths, name: str) -> None:
    record = read_record(paths, name)
    if record is None or record.supervised():
        return
    end_orphans(record)
    if record.state in (STARTING, READY, STOPPING):
        exit_ = record.exit or "its supervisor was killed"
        write_record(paths.instance(name), record.changed(state=CRASHED, exit=exit_, server=None))
    if not holders(paths.instance(name)):
        mark_keep(paths.instance(name), False)
        discard_unkept(paths.instance(name), record.database, record.options.ephemeral)
