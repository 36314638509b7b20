"""A file locked by a living process; the lock falls when that process dies, however it dies.

`filelock` does the same and more and is used where a download waits anyway. Here its import alone
would take half as long as the server's whole start.
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from types import TracebackType

from ..errors import FolderNotWritable

POLL_SECONDS = 0.01


class LockedFile:
    """An exclusive lock on `path`, held until `release` or the end of the process.

    Processes started by the holder do not inherit it.
    """

    def __init__(self, path: Path, handle: int) -> None:
        self.path = path
        self._handle: int | None = handle

    @classmethod
    def attempt(cls, path: Path, content: str = "") -> LockedFile | None:
        """Lock `path` and write `content` into it, or None where another process holds it."""
        import fcntl

        while True:
            handle = _open(path)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                current = _is_at(path, handle)
            except BlockingIOError:
                os.close(handle)
                return None
            if current:
                break
            os.close(handle)  # its holder removed it between our open and our lock
        with contextlib.suppress(OSError):  # a full disk: it is locked all the same, and can be used to end things
            os.ftruncate(handle, 0)
            os.pwrite(handle, content.encode(), 0)
        return cls(path, handle)

    @classmethod
    def acquire(cls, path: Path, content: str = "", *, limit: float) -> LockedFile | None:
        """Like `attempt`, asking again for `limit` seconds."""
        deadline = time.monotonic() + limit
        while True:
            lock = cls.attempt(path, content)
            if lock is not None or time.monotonic() >= deadline:
                return lock
            time.sleep(POLL_SECONDS)

    def release(self, *, remove: bool = False) -> None:
        """Give the lock up, and the file with it where `remove` is set. A second call does nothing."""
        if self._handle is None:
            return
        if remove:
            with contextlib.suppress(OSError):
                self.path.unlink()
        os.close(self._handle)
        self._handle = None

    def __enter__(self) -> LockedFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise FolderNotWritable(
            f"cannot open the lock file {path}: {error.strerror}",
            hint="see that the folder is yours, is writable and has space left",
        ) from error


def _is_at(path: Path, handle: int) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False
