"""Cleaning up after killed processes: orphaned servers, ephemeral databases, anonymous instances."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

from ..errors import DevServerError, FolderNotWritable
from ..system.paths import Paths
from ..system.process import has_ended
from . import ephemeral_database
from .folder import InstanceFolder
from .record import ANONYMOUS, CRASHED, READY, STARTING, STOPPING, Record
from .supervisor_process import end_orphans


def tidy(paths: Paths) -> None:
    """Clean up after killed processes. An instance that another process is starting or stopping is skipped."""
    recorded = [folder.name for folder in InstanceFolder.all(paths)]
    if any(paths.schemas.glob(".new-*")):
        from ..database.template import remove_unfinished

        remove_unfinished(paths.schemas)
    if not paths.instances.is_dir():
        return
    databases = ephemeral_database.existing_folders(paths.instances)
    for name in sorted({*recorded, *_anonymous(paths), *databases}):
        folder = InstanceFolder(paths, name)
        # In a read-only home nothing can be cleaned up, and commands that only look go on.
        with contextlib.suppress(FolderNotWritable), folder.try_lock() as locked:
            if locked:
                _tidy_instance(folder, databases.get(name, []))


def _anonymous(paths: Paths) -> list[str]:
    """The anonymous instances, also those whose supervisor was killed before it wrote a record."""
    # Python before 3.11 lets a pattern that ends with a slash match files too: the locks beside the folders.
    return [path.name for path in paths.instances.glob(f"{ANONYMOUS}*") if path.is_dir()]


def _tidy_instance(folder: InstanceFolder, databases: list[Path]) -> None:
    try:
        record = folder.read_record()
    except DevServerError:
        return  # commands that use this instance report it
    if record is None or not record.elsewhere():
        _remove_unfinished(folder.path)
    if record is not None and not record.supervised():
        _mark_crashed(folder, record)
    elif record is None and folder.anonymous and not folder.holders():
        shutil.rmtree(folder.path, ignore_errors=True)
    for path in databases:
        if record is None or record.database.parent != path:
            _remove_unused(path)


def _remove_unfinished(folder: Path) -> None:
    """Remove what killed processes were writing: files of `files.write_whole`, named `.NAME.PID-RANDOM.tmp`."""
    for path in folder.glob(".*.tmp"):
        pid = path.name.removesuffix(".tmp").rpartition(".")[2].partition("-")[0]
        if has_ended(pid):
            with contextlib.suppress(OSError):
                path.unlink()


def _mark_crashed(folder: InstanceFolder, record: Record) -> None:
    end_orphans(record)
    if record.state in (STARTING, READY, STOPPING):
        reason = record.exit or "its supervisor was killed"
        with contextlib.suppress(FolderNotWritable):  # a full disk; readers of the record notice the dead processes
            folder.write_record(record.changed(state=CRASHED, exit=reason, server=None))
    if not folder.holders():
        folder.keep_state(False)
        folder.remove_state(record.database, ephemeral=record.options.ephemeral)


def _remove_unused(path: Path) -> None:
    """Remove the folder of an ephemeral database that no record names, unless a server still uses it."""
    from ..database import other_users

    database = path / "temporal.db"
    if not ephemeral_database.is_held(database) and not other_users(database):
        ephemeral_database.remove(database)
