"""Taking turns: one process installs a version, the others wait for it and take what it made, or its failure."""

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

Look = Callable[[], "Executable | None"]

WORK = ".tmp-"
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.25


@contextlib.contextmanager
def take(goal: Goal, store: Path, look: Look, reporter: Reporter) -> Iterator[Executable | None]:
    """Enter with the executable that another process installed meanwhile, or with None and the turn held.

    An error that leaves the block while the turn is held is also raised in the processes that wait for it
    with the same request: two hundred of them do not repeat one failing download two hundred times.

    Raises:
        DownloadFailed: Another process held the turn for longer than the request waits.
        DevServerError: What the process that was waited for failed with.
    """
    lock = lock_of(store, goal.key)
    began = time.time()
    found, waited = _wait(goal, store, lock, look, reporter)
    if found is not None:
        yield found
        return
    failure = store / f".{goal.key}.failed"
    try:
        if waited:
            _raise_again(failure, goal, began)
        failure.unlink(missing_ok=True)
        yield look()
    except DevServerError as error:
        if not failure.exists():
            _keep(failure, goal, error)
        raise
    finally:
        _owner(store, goal.key).unlink(missing_ok=True)
        lock.release()


def lock_of(store: Path, key: str) -> filelock.BaseFileLock:
    """The lock that whoever installs or removes that executable holds."""
    return filelock.FileLock(store / f".{key}.lock", timeout=0, mode=0o600)


def sweep(store: Path, own: str = "") -> None:
    """Remove what killed installers left: temporary folders whose lock nobody else holds.

    Args:
        store: The store's folder.
        own: The version whose lock the caller holds.
    """
    for folder in store.glob(f"{WORK}*"):
        key = folder.name.removeprefix(WORK).rpartition("-")[0]
        if key == own:
            shutil.rmtree(folder, ignore_errors=True)
            continue
        with contextlib.suppress(filelock.Timeout), lock_of(store, key):
            shutil.rmtree(folder, ignore_errors=True)


def _wait(
    goal: Goal, store: Path, lock: filelock.BaseFileLock, look: Look, reporter: Reporter
) -> tuple[Executable | None, bool]:
    """What another process installed, or None once the lock is ours; and whether it took any waiting."""
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
                hint="see what it is doing, or end it; nothing it leaves behind is used",
            )
        time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - spreads processes out, guards nothing
        pause = min(pause * 1.5, _LONGEST_PAUSE)
        found = look()
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


def _keep(failure: Path, goal: Goal, error: DevServerError) -> None:
    with contextlib.suppress(FolderNotWritable):
        write_private(failure, json.dumps({"request": _mark(goal), "error": error.to_json()}))


def _mark(goal: Goal) -> str:
    """What tells a request from others; a mirror's address may hold a password, which stays out of the file."""
    return hashlib.sha256(repr(goal.request).encode()).hexdigest()


def _raise_again(failure: Path, goal: Goal, began: float) -> None:
    """Raise what the process that was waited for failed with, if it wanted the same."""
    try:
        kept = json.loads(failure.read_bytes()) if failure.stat().st_mtime >= began else {}
        if kept.get("request") != _mark(goal):
            return
        error = DevServerError.from_json(kept["error"])
    except (OSError, ValueError, KeyError, AttributeError):
        return
    raise error
