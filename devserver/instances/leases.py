"""Who holds an instance: a lease is a locked file of a living process."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict
from pathlib import Path

from ..system.filelocks import LockedFile
from ..system.files import private_folder
from ..system.process import ProcessIdentity

FOLDER = "leases"


class Lease:
    """One hold on the instance whose state folder is `folder`; it falls with this process at the latest."""

    def __init__(self, lock: LockedFile) -> None:
        self._lock = lock
        self._pid = os.getpid()

    @classmethod
    def take(cls, folder: Path) -> Lease:
        """Hold the instance. Call while holding the instance's lock."""
        leases = private_folder(folder / FOLDER)
        content = json.dumps(asdict(ProcessIdentity.own()))
        while True:
            path = leases / f"{os.getpid()}-{os.urandom(4).hex()}.lease"
            lock = LockedFile.attempt(path, content)
            if lock is not None:
                return cls(lock)

    def release(self) -> None:
        """Give the hold up. A second call does nothing, and a forked child gives up nothing of its parent's."""
        self._lock.release(remove=self._pid == os.getpid())


def holders(folder: Path) -> list[int]:
    """The pids of the living holders; what dead ones left is removed."""
    found = []
    with contextlib.suppress(FileNotFoundError):
        for path in sorted((folder / FOLDER).iterdir()):
            pid = _holder(path)
            if pid is not None:
                found.append(pid)
    return found


def _holder(path: Path) -> int | None:
    """The pid behind one lease: its file is locked, and the process that wrote it lives.

    Both, because a forked child inherits a lock and may outlive the holder.
    """
    try:
        written = path.read_text()
    except FileNotFoundError:
        return None
    lock = LockedFile.attempt(path, written)
    if lock is not None:
        lock.release(remove=True)
        return None
    try:
        identity = ProcessIdentity(**json.loads(written))
    except (ValueError, TypeError):
        return 0  # locked and not written yet: its holder lives
    return identity.pid if identity.alive() else None
