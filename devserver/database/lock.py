"""One server per database file: a locked file beside it, whose lock ends with its owner."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import TracebackType

from ..errors import DatabaseError, DatabaseInUse, FolderNotWritable
from ..system.filelocks import LockedFile
from ..system.files import private_folder
from ..system.process import ProcessIdentity
from .header import sidecar

CORRUPT = "two servers on one file corrupt it"
OTHER_FILE = "use another file with --db-filename"
ELSEWHERE = f"you need write access to its folder; {OTHER_FILE}"


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
            own = ProcessIdentity.own()
            lock = LockedFile.attempt(path, json.dumps({"owner": owner, "pid": own.pid, "started": own.started}))
        except FolderNotWritable as error:
            raise DatabaseError(
                f"cannot lock the database {db}: {error.message}",
                hint=ELSEWHERE,
            ) from error
        if lock is None:
            raise _in_use(db, path)
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


def _in_use(db: Path, lock: Path) -> DatabaseInUse:
    """The error for a database that somebody owns, whom the lock names."""
    message = f"the database {db} is in use by "
    try:
        data = json.loads(lock.read_text())
        owner, process = str(data["owner"]), ProcessIdentity(int(data["pid"]), str(data["started"]))
    except (OSError, ValueError, KeyError, TypeError):
        return DatabaseInUse(f"{message}another server", hint=f"{CORRUPT}: stop that server, or {OTHER_FILE}")
    if process.foreign:
        return DatabaseInUse(
            f"{message}{owner}, in another container (pid {process.pid} there)",
            hint=f"{CORRUPT}: stop that server in its container, or {OTHER_FILE}",
        )
    named = re.match(r"instance (\S+)", owner)
    option = f" --name {named[1]}" if named else ""
    return DatabaseInUse(
        f"{message}{owner} (pid {process.pid})",
        hint=f"{CORRUPT}: stop that server (devserver down{option}), use it (devserver status{option}), "
        f"or {OTHER_FILE}",
    )
