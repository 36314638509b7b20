"""One server per database file: a locked file beside it, whose lock ends with its owner."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from types import TracebackType

from ..errors import DatabaseError, DatabaseInUse, FolderNotWritable
from ..system.filelocks import LockedFile
from ..system.files import private_folder
from .header import sidecar

ELSEWHERE = "you need write access to its folder; use another file with --db-filename"


class DatabaseLease:
    """The right to run a server on a database file, held until released or until this process ends."""

    def __init__(self, db: Path, lock: LockedFile) -> None:
        self.db = db
        self._lock = lock

    @classmethod
    def acquire(cls, db: Path, owner: str) -> DatabaseLease:
        """Lock `db` for `owner`, without waiting.

        Two paths to one file (relative, through links) are one lease. The file need not exist yet.

        Raises:
            DatabaseInUse: Someone else owns it; the message names them.
            DatabaseError: It is a folder, or nothing can be written beside it.
        """
        db = resolved(db)
        path = sidecar(db, ".lock")
        try:
            lock = LockedFile.attempt(path, json.dumps({"owner": owner, "pid": os.getpid()}))
        except FolderNotWritable as error:
            raise DatabaseError(
                f"cannot lock the database {db}: {error.message}",
                hint=ELSEWHERE,
            ) from error
        if lock is None:
            raise _in_use(db, _owner(path))
        return cls(db, lock)

    def release(self) -> None:
        """Release the database. A second call does nothing."""
        self._lock.release(remove=True)

    def __enter__(self) -> DatabaseLease:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def resolved(db: Path) -> Path:
    """`db` as one absolute path whatever led to it, its folder made (private) where it is missing."""
    try:
        path = db.expanduser().resolve()
        if path.is_dir():
            raise DatabaseError(
                f"the database {db} is a folder", hint=f"name a file, such as --db-filename {db / 'temporal.db'}"
            )
        # A folder that is there is the user's own choice: `--db-filename /tmp/try.db` must work.
        if not path.parent.exists():
            private_folder(path.parent)
    except (OSError, RuntimeError, FolderNotWritable) as error:
        why = getattr(error, "strerror", None) or str(getattr(error, "message", error))
        raise DatabaseError(f"cannot reach the database {db}: {why}", hint=ELSEWHERE) from error
    return path


def _owner(path: Path) -> str | None:
    try:
        data = json.loads(path.read_text())
        return f"{data['owner']} (pid {data['pid']})"
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _in_use(db: Path, owner: str | None) -> DatabaseInUse:
    named = re.match(r"instance (\S+)", owner or "")
    option = f" --name {named[1]}" if named else ""
    return DatabaseInUse(
        f"the database {db} is in use by {owner or 'another server'}",
        hint=f"two servers on one file corrupt it: stop that server (devserver down{option}), "
        f"use it (devserver status{option}), or use another file with --db-filename",
    )
