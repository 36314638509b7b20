"""From a request to a verified executable: from the store, or downloaded first.

For an executable in the store this imports nothing more, takes no lock and starts no process.
"""

from __future__ import annotations

from pathlib import Path

from ..errors import BinaryNotFound, ChecksumMismatch, VersionRefused
from ..system.files import private_folder, refuse_unsafe
from ..system.paths import Paths
from ..system.progress import Reporter, Silent
from .advisories import advisories_for
from .checksums import acceptable
from .known_releases import DEFAULT_VERSION, SERVER_VERSIONS
from .models import BinaryRequest, Executable, Goal
from .receipt import read_receipt, unchanged


def ensure(request: BinaryRequest, *, paths: Paths, reporter: Reporter | None = None) -> Executable:
    """The requested executable, downloaded and verified if it is not in the store.

    Args:
        request: The executable, and the sources it may come from.
        paths: Where the store is.
        reporter: Receives notes, warnings and download progress.

    Raises:
        OptionError: The version, source, hash or URL in the request is invalid.
        BinaryNotFound: No source has the executable; the details have the reason for each source.
        DownloadFailed: The only source in the request cannot be used.
        OfflineError: The network is needed and forbidden.
        ChecksumMismatch: The SHA-256 is not the expected one; the file was deleted and not run.
        UnpinnedVersion: A pinned SHA-256 is required, and the version has none.
        NotTemporal: The file is not a working Temporal CLI.
        VersionRefused: Security advisories apply, and the user did not choose the version.
        FolderNotWritable, UnsafeFolder: The store cannot be used.
        UnsupportedPlatform: There is no executable for this machine.
    """
    reporter = Silent() if reporter is None else reporter
    if request.in_place:
        from .binary_path import use

        found = use(request, paths=paths, reporter=reporter)
    else:
        goal = Goal.of(request)
        _refuse_unsafe_version(goal.version, SERVER_VERSIONS.get(goal.version), request)
        private_folder(paths.cache)
        store = private_folder(paths.store)
        stored = find_stored(goal, paths)
        if stored is None:
            from .install import install

            stored = install(goal, store, find_stored=lambda: find_stored(goal, paths), reporter=reporter)
        found = stored
    _refuse_unsafe_version(found.version, found.server_version, request)
    _name_unpinned(found, reporter)
    for advisory in advisories_for(found.server_version):
        reporter.warn(f"{advisory.id} applies to server {found.server_version}: {advisory.summary}")
    return found


def find_available(request: BinaryRequest, *, paths: Paths) -> Executable | None:
    """The executable that `ensure` returns without a download; None if it has to download one.

    Nothing is run: the version of a file that is not pinned, and that was never run, is empty.

    Raises:
        DevServerError: As for `ensure`.
    """
    if request.in_place:
        from .binary_path import look

        return look(request, paths=paths)
    goal = Goal.of(request)
    _refuse_unsafe_version(goal.version, SERVER_VERSIONS.get(goal.version), request)
    for folder in (paths.cache, paths.store):
        refuse_unsafe(folder)
    return find_stored(goal, paths)


def find_stored(goal: Goal, paths: Paths) -> Executable | None:
    """The executable in the store that has an acceptable SHA-256 and is unchanged; as a rule nothing is hashed."""
    for sha256 in acceptable(goal, paths.store):
        folder = paths.store / sha256
        receipt = read_receipt(folder)
        path = folder / goal.platform.executable
        if receipt is None or (receipt.sha256, receipt.version) != (sha256, goal.version):
            continue
        private_folder(folder)
        if unchanged(path, receipt):
            return receipt.executable(path)
    return None


def recheck(path: Path, sha256: str | None, *, paths: Paths, reporter: Reporter) -> Executable:
    """The executable that an instance ran, before it runs again.

    Args:
        path: The executable.
        sha256: Its SHA-256 when it ran; None if that is not known.
        paths: Where the store is.
        reporter: Receives a warning if it is not pinned.

    Raises:
        ChecksumMismatch: It has changed.
        BinaryNotFound, NotTemporal: The file does not exist anymore, or may not be executed.
        UnsafeFolder: Others may write to the store.
    """
    if not path.is_file():
        raise BinaryNotFound(f"the executable {path} does not exist anymore", hint="run: devserver install")
    for folder in (paths.cache, paths.store):
        refuse_unsafe(folder)
    receipt = read_receipt(path.parent) if path.parent.parent == paths.store else None
    if receipt is not None:
        if not unchanged(path, receipt):
            raise ChecksumMismatch(
                f"{path} has changed since it was installed; it was not run",
                details=[f"expected: {receipt.sha256}"],
                hint=f"install it again: rm -r {path.parent}; devserver install {receipt.version}",
            )
        found = receipt.executable(path)
    else:
        from .binary_path import look

        found = look(BinaryRequest(binary=path), paths=paths)
    if sha256 not in (None, found.sha256):
        raise ChecksumMismatch(
            f"{path} has changed since the instance last ran; it was not run",
            details=[f"expected: {sha256}", f"found:    {found.sha256}"],
            hint="if you trust the new file: devserver down, then devserver up, which checks what you trust",
        )
    _name_unpinned(found, reporter)
    return found


def _name_unpinned(executable: Executable, reporter: Reporter) -> None:
    """Warn of an executable that is not pinned: at every start, for what runs is what the user has to know."""
    if not executable.pinned:
        reporter.warn(f"{executable.path} is not a pinned build; its SHA-256 is {executable.sha256}")


def _refuse_unsafe_version(version: str, server_version: str | None, request: BinaryRequest) -> None:
    if request.by_name or server_version is None:
        return
    found = advisories_for(server_version)
    if found:
        raise VersionRefused(
            f"temporal {version} contains server {server_version}, which has known security advisories",
            details=[f"{advisory.id}: {advisory.summary}" for advisory in found],
            hint=f"use {DEFAULT_VERSION}; to run {version} anyway, choose it: --version {version}"
            + (f" with --binary {request.binary}" if request.in_place else f", or `devserver install {version}`"),
        )
