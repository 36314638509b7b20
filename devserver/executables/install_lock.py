"""The lock for an installation: one process installs a version, others wait for its result or its error."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import filelock

from ..errors import DevServerError, DownloadFailed, FolderNotWritable
from ..system.files import write_private
from ..system.progress import Reporter
from .models import Executable, Goal

FindStored = Callable[[], "Executable | None"]

WORK = ".tmp-"
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.25


@contextlib.contextmanager
def take(goal: Goal, store: Path, find_stored: FindStored, reporter: Reporter) -> Iterator[Executable | None]:
    """Yield the executable that another process has installed meanwhile, or None with the lock held.

    An error that leaves the block with the lock held is also raised in the processes that wait with the same request:
    two hundred processes do not repeat a failing download two hundred times.

    Raises:
        DownloadFailed: Another process held the lock for longer than the request waits.
        DevServerError: The error of the process that held the lock.
    """
    lock = lock_of(store, goal.key)
    began = time.time()
    found, waited = _wait(goal, store, lock, find_stored, reporter)
    if found is not None:
        yield found
        return
    failure = store / f".{goal.key}.failed"
    try:
        if waited:
            _raise_again(failure, goal, began)
        failure.unlink(missing_ok=True)
        yield find_stored()
    except DevServerError as error:
        if not failure.exists():
            _write_failure(failure, goal, error)
        raise
    finally:
        _owner(store, goal.key).unlink(missing_ok=True)
        lock.release()


def lock_of(store: Path, key: str) -> filelock.BaseFileLock:
    """The lock for installing or removing an executable."""
    return filelock.FileLock(store / f".{key}.lock", timeout=0, mode=0o600)


def sweep(store: Path, own: str = "") -> None:
    """Remove the temporary folders of killed processes: those whose lock is free.

    Args:
        store: The folder of the store.
        own: The key of the executable whose lock the caller holds.
    """
    for folder in store.glob(f"{WORK}*"):
        key = folder.name.removeprefix(WORK).rpartition("-")[0]
        if key == own:
            shutil.rmtree(folder, ignore_errors=True)
            continue
        with contextlib.suppress(filelock.Timeout), lock_of(store, key):
            shutil.rmtree(folder, ignore_errors=True)


def _wait(
    goal: Goal, store: Path, lock: filelock.BaseFileLock, find_stored: FindStored, reporter: Reporter
) -> tuple[Executable | None, bool]:
    """The executable that another process installed, or None once we have the lock; and whether we waited."""
    deadline = time.monotonic() + goal.request.wait
    waited, pause = False, _FIRST_PAUSE
    while not _acquired(lock, _owner(store, goal.key)):
        who = _name(_owner(store, goal.key))
        if not waited:
            reporter.note(f"waiting for another process{who} to finish installing temporal {goal.version}")
            waited = True
        if time.monotonic() >= deadline:
            raise DownloadFailed(
                f"another process{who} has been installing temporal {goal.version} "
                f"for more than {goal.request.wait:g} s",
                hint="check that process, or end it; its unfinished files are not used",
            )
        time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - spreads processes out, guards nothing
        pause = min(pause * 1.5, _LONGEST_PAUSE)
        found = find_stored()
        if found is not None:
            return found, True
    return None, waited


def _acquired(lock: filelock.BaseFileLock, owner: Path) -> bool:
    try:
        lock.acquire()
    except filelock.Timeout:
        return False
    except NotImplementedError as error:
        raise FolderNotWritable(
            f"the file system of {owner.parent} has no file locks",
            hint="set DEVSERVER_HOME to a folder on a local disk",
        ) from error
    try:
        write_private(owner, str(os.getpid()))
    except BaseException:
        lock.release()
        raise
    return True


def _owner(store: Path, key: str) -> Path:
    return store / f".{key}.owner"


def _name(owner: Path) -> str:
    try:
        return f" (pid {int(owner.read_text())})"
    except (OSError, ValueError):
        return ""


def _write_failure(failure: Path, goal: Goal, error: DevServerError) -> None:
    with contextlib.suppress(FolderNotWritable):
        write_private(failure, json.dumps({"request": _digest(goal), "error": error.to_json()}))


def _digest(goal: Goal) -> str:
    """A digest that identifies a request: a mirror's URL may contain a password, which must not be written."""
    return hashlib.sha256(repr(goal.request).encode()).hexdigest()


def _raise_again(failure: Path, goal: Goal, began: float) -> None:
    """Raise the error of the process that held the lock, if it had the same request."""
    try:
        kept = json.loads(failure.read_bytes()) if failure.stat().st_mtime >= began else {}
        if kept.get("request") != _digest(goal):
            return
        error = DevServerError.from_json(kept["error"])
    except (OSError, ValueError, KeyError, AttributeError):
        return
    raise error
