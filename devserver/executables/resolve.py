"""Get a verified executable: from the store, or fetched and verified first.

The way to an executable that is already there imports nothing more, takes no lock and starts no process."""

from __future__ import annotations

from ..errors import VersionRefused
from ..system.files import private_folder, refuse_unsafe
from ..system.paths import Paths
from ..system.progress import Reporter, Silent
from .advisories import advisories_for
from .metadata import read
from .models import BinaryRequest, Executable, Goal
from .releases import DEFAULT_VERSION, SERVER_VERSIONS


def ensure(request: BinaryRequest, *, paths: Paths, reporter: Reporter | None = None) -> Executable:
    """The executable that `request` asks for, fetched and verified if it is not there yet.

    Args:
        request: What is wanted and where it may come from.
        paths: Where the store is.
        reporter: Hears of downloads, waiting, retries, and warnings.

    Raises:
        OptionError: The request holds something that is no version, source, hash or address.
        BinaryNotFound: No source has it; the details say what each one answered.
        DownloadFailed: The one source that was asked for could not be used.
        OfflineError: The network would be needed and is forbidden.
        ChecksumMismatch: It is not the expected executable; it was deleted and not run.
        UnpinnedVersion: No hash is known beforehand and one is required.
        NotTemporal: It is something else, or does not answer.
        VersionRefused: Advisories apply and the user did not name the version.
        FolderNotWritable, UnsafeFolder: The store cannot be used.
        UnsupportedPlatform: There is no executable for this machine.
    """
    heard = Silent() if reporter is None else reporter
    if request.in_place:
        from .external import use

        found = use(request, paths=paths, reporter=heard)
    else:
        goal = Goal.of(request)
        _refuse_unsafe_version(goal.version, SERVER_VERSIONS.get(goal.version), request)
        store = private_folder(paths.store)
        held = look(goal, paths)
        if held is None:
            from .install import install

            held = install(goal, store, look=lambda: look(goal, paths), reporter=heard)
        found = held
    _refuse_unsafe_version(found.version, found.server_version, request)
    for advisory in advisories_for(found.server_version):
        heard.warn(f"{advisory.id} applies to server {found.server_version}: {advisory.summary}")
    return found


def at_hand(request: BinaryRequest, *, paths: Paths) -> Executable | None:
    """What `ensure` would answer at once; None where it would have to fetch it first. The store stays as it is.

    Raises:
        DevServerError: `ensure` would refuse.
    """
    if request.in_place:
        return ensure(request, paths=paths)
    goal = Goal.of(request)
    _refuse_unsafe_version(goal.version, SERVER_VERSIONS.get(goal.version), request)
    refuse_unsafe(paths.store)
    return look(goal, paths)


def look(goal: Goal, paths: Paths) -> Executable | None:
    """The executable in the store, if its receipt fits the file and its hash will do; nothing is hashed."""
    folder = paths.store / goal.key
    receipt = read(folder)
    path = folder / goal.platform.executable
    if receipt is None or not receipt.fits(path):
        return None
    private_folder(folder)
    pinned = receipt.sha256 == goal.pin
    if not pinned:
        chosen = receipt.sha256 == goal.accept if goal.accept else receipt.accepted or goal.pin is None
        if not chosen or (goal.request.require_pinned and not goal.accept):
            return None
    return Executable(path, receipt.version, receipt.server_version, receipt.sha256, receipt.source, pinned)


def _refuse_unsafe_version(version: str, server_version: str | None, request: BinaryRequest) -> None:
    if request.by_name or server_version is None:
        return
    found = advisories_for(server_version)
    if found:
        raise VersionRefused(
            f"temporal {version} holds server {server_version}, to which known advisories apply",
            details=[f"{advisory.id}: {advisory.summary}" for advisory in found],
            hint=f"use {DEFAULT_VERSION}; to run {version} all the same, name it: --version {version}"
            + (f" beside --binary {request.binary}" if request.in_place else f", or `devserver install {version}`"),
        )
