"""A file locked by a living process; the lock ends with the process, however it ends.

The package `filelock` can do more and is used for downloads. Here its import would take half as long as the start of a
server.
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
    """An exclusive lock on `path`, until `release` or the end of the process.

    Processes that the holder starts do not inherit it; processes that it forks do.
    """

    def __init__(self, path: Path, handle: int) -> None:
        self.path = path
        self._handle: int | None = handle

    @classmethod
    def attempt(cls, path: Path, content: str = "") -> LockedFile | None:
        """Lock `path` and write `content` into it; None if another process holds the lock.

        Raises:
            FolderNotWritable: The file cannot be opened, or its file system has no locks.
        """
        import fcntl

        while True:
            handle = _open(path)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                current = _is_at(path, handle)
            except BlockingIOError:
                os.close(handle)
                return None
            except OSError as error:  # such as ENOLCK: a network file system
                os.close(handle)
                raise FolderNotWritable(
                    f"cannot lock {path}: {error.strerror}",
                    hint="set DEVSERVER_HOME to a folder on a local disk",
                ) from error
            if current:
                break
            os.close(handle)  # its holder removed the file after we opened it
        with contextlib.suppress(OSError):  # a full disk: the lock holds without its content
            os.ftruncate(handle, 0)
            os.pwrite(handle, content.encode(), 0)
        return cls(path, handle)

    @classmethod
    def acquire(cls, path: Path, content: str = "", *, limit: float) -> LockedFile | None:
        """Like `attempt`, repeated for up to `limit` seconds."""
        deadline = time.monotonic() + limit
        while True:
            lock = cls.attempt(path, content)
            if lock is not None or time.monotonic() >= deadline:
                return lock
            time.sleep(POLL_SECONDS)

    @staticmethod
    def is_held(path: Path) -> bool:
        """Whether a process holds the lock; nothing is written, so that a read-only file can be asked too."""
        import fcntl

        try:
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        except OSError:
            return False
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:  # a file system without locks: nobody can hold one
            return False
        finally:
            os.close(handle)
        return False

    def release(self, *, remove: bool = False) -> None:
        """Release the lock, and remove the file with `remove`. A second call does nothing."""
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
            hint="check that you own the folder, that it is writable and that the disk is not full",
        ) from error


def _is_at(path: Path, handle: int) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False
