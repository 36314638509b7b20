"""Leases: a process holds a lease to keep a server running. A lease is a locked file of a living process."""

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
    """One lease of this process. It ends with `release`, or with the process."""

    def __init__(self, lock: LockedFile) -> None:
        self._lock = lock
        self._pid = os.getpid()

    @classmethod
    def take(cls, folder: Path) -> Lease:
        """Take a lease in a state folder. The caller holds the folder's lock."""
        leases = private_folder(folder / FOLDER)
        content = json.dumps(asdict(ProcessIdentity.own()))
        while True:
            path = leases / f"{os.getpid()}-{os.urandom(4).hex()}.lease"
            lock = LockedFile.attempt(path, content)
            if lock is not None:
                return cls(lock)

    def release(self) -> None:
        """End the lease. A second call does nothing; in a forked child the parent's lease stays."""
        self._lock.release(remove=self._pid == os.getpid())


def holders(folder: Path) -> list[int]:
    """The pids of the living processes with a lease in a state folder. Leases of dead processes are removed."""
    found = []
    with contextlib.suppress(FileNotFoundError):
        for path in sorted((folder / FOLDER).iterdir()):
            pid = _holder(path)
            if pid is not None:
                found.append(pid)
    return found


def _holder(path: Path) -> int | None:
    """The pid of a lease's process: the lease is locked, and the process that wrote it is alive.

    Both, because a forked child inherits the lock and may outlive its parent. Of a process in another container only
    the lock can be asked.
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
        return 0  # locked and not written yet: its process is alive
    return identity.pid if identity.foreign or identity.alive() else None
