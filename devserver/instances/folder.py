"""An instance's state folder: its lock, what its next start takes over, what goes when it ends."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from ..config.server_options import check_name
from ..errors import FolderNotWritable, StartFailed
from ..server.log import RUN_MARK
from ..system.filelocks import LockedFile
from ..system.files import private_folder, write_private
from ..system.paths import Paths
from ..system.progress import Reporter
from ..system.timefmt import utc_now
from . import ephemeral_database
from .record import ANONYMOUS

KEEP = "keep"
ROTATE_BYTES = 20_000_000
LOCK_SECONDS = 120.0


@contextlib.contextmanager
def locked(paths: Paths, name: str, reporter: Reporter | None = None) -> Iterator[None]:
    """Hold the instance against others who start or stop it."""
    check_name(name)
    private_folder(paths.state)
    private_folder(paths.instances)
    path = lock_path(paths.instance(name))
    lock = LockedFile.attempt(path, str(os.getpid()))
    if lock is None:
        if reporter is not None:
            reporter.note(f"waiting for another process that starts or stops the instance {name} ...")
        lock = LockedFile.acquire(path, str(os.getpid()), limit=LOCK_SECONDS)
    if lock is None:
        raise StartFailed(
            f"another process has been starting or stopping the instance {name} for {LOCK_SECONDS:g} s",
            details=[f"its pid: {path.read_text()}"],
            hint="end that process if it hangs",
        )
    try:
        yield
    finally:
        gone = not paths.instance(name).exists()
        lock.release(remove=gone)


def lock_path(folder: Path) -> Path:
    """The lock of the instance with that state folder; beside it, so that it outlives it."""
    return folder.with_name(f"{folder.name}.lock")


def mark_keep(folder: Path, keep: bool) -> None:
    """Say whether what the instance has is taken over by its next start."""
    if keep:
        write_private(folder / KEEP, "")
    else:
        (folder / KEEP).unlink(missing_ok=True)


def begin_log(log: Path, version: str, server_version: str) -> None:
    """Mark in a server's log where a run begins; keep one old log where the log has grown large.

    Raises:
        FolderNotWritable: The disk is full or the folder cannot be written.
    """
    try:
        if log.exists() and log.stat().st_size > ROTATE_BYTES:
            log.replace(log.with_suffix(".log.1"))
        with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "w") as file:
            file.write(f"{RUN_MARK} temporal {version} (server {server_version}) at {utc_now()}\n")
    except OSError as error:
        raise FolderNotWritable(
            f"cannot write the log {log}: {error.strerror}",
            hint="free some space, or set DEVSERVER_HOME to another folder",
        ) from error


def discard_unkept(folder: Path, database: Path, ephemeral: bool) -> None:
    """Remove what an ended ephemeral or anonymous instance has, unless its next start takes it over."""
    if (folder / KEEP).exists():
        return
    if ephemeral:
        ephemeral_database.remove(database)
    if folder.name.startswith(ANONYMOUS):
        shutil.rmtree(folder, ignore_errors=True)
