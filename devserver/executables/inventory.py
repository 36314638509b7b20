"""The executables in the store: list, verify and remove them."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import tempfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import FolderNotWritable, OptionError
from ..system.files import private_folder, refuse_unsafe, sha256_of
from ..system.paths import Paths
from ..system.platforms import Platform, current
from .known_releases import DEFAULT_VERSION
from .models import Executable
from .receipt import read_receipt
from .versions import parse_version, version_key

UNKNOWN = "unknown"  # the version of a folder without a receipt
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Verified:
    """An installed executable, hashed again.

    Attributes:
        executable: The executable as it was installed.
        found: Its SHA-256 now; None if it cannot be read.
    """

    executable: Executable
    found: str | None

    @property
    def intact(self) -> bool:
        """Whether the file is unchanged."""
        return self.found == self.executable.sha256


@dataclass(frozen=True)
class PrunedBinaries:
    """One version in the store, removed or kept by `prune`.

    Attributes:
        version: The version.
        size: The size of its folder in bytes.
        kept_because: Why it was kept; None if it was removed.
    """

    version: str
    size: int
    kept_because: str | None


def installed(paths: Paths, *, platform: str | None = None) -> list[Executable]:
    """The executables in the store, oldest version first, without hashing them; all of them, or those of a platform."""
    found = [executable for folder in _folders(paths) if (executable := _in(folder, platform)) is not None]
    return sorted(found, key=lambda executable: version_key(executable.version))


def verify(paths: Paths) -> list[Verified]:
    """Hash every executable in the store again."""
    results = []
    for executable in installed(paths):
        found = None
        with contextlib.suppress(OSError):
            found = sha256_of(executable.path)
        results.append(Verified(executable, found))
    return results


def prune(
    paths: Paths, *, keep: Collection[str] = (), everything: bool = False, dry_run: bool = False
) -> list[PrunedBinaries]:
    """Remove all versions but the default one, those in `keep`, and those that instances use.

    A folder without a receipt is never used, so it is removed whatever its version.

    Args:
        paths: Where the store and the instances are.
        keep: More versions to keep, in any form that `versions.parse_version` takes.
        everything: Remove the default version too; versions in use are still kept.
        dry_run: Remove nothing.

    Raises:
        OptionError: A version to keep is not a version.
        FolderNotWritable: A folder cannot be removed.
    """
    kept = {parse_version(version): "kept with --keep" for version in keep}
    if not everything:
        kept.setdefault(DEFAULT_VERSION, "the default version")
    used = {**_used_by_instances(paths), **_running()}
    results = []
    for version, folder in sorted(_versions(paths), key=_order):
        executable = _in(folder)
        path = folder / current().executable if executable is None else executable.path
        reason = used.get(path.resolve()) or (kept.get(version) if executable else None)
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        if reason is None and not dry_run:
            reason = _remove(folder, executable, private_folder(paths.store))
        results.append(PrunedBinaries(version, size, reason))
    if not dry_run and paths.store.is_dir():
        from .install_lock import sweep

        sweep(paths.store)
    return results


def _folders(paths: Paths) -> Iterator[Path]:
    try:
        yield from (path for path in paths.store.iterdir() if not path.name.startswith("."))
    except (FileNotFoundError, NotADirectoryError):
        return
    except PermissionError as error:
        raise FolderNotWritable(
            f"you may not read the store {paths.store}", hint="set DEVSERVER_HOME to a folder of your own"
        ) from error


def _versions(paths: Paths) -> Iterator[tuple[str, Path]]:
    """The folders that are named after a hash, or after a version as in earlier stores, with their version."""
    for folder in _folders(paths):
        if not folder.is_dir() or folder.is_symlink():
            continue
        receipt = read_receipt(folder)
        version, _, platform = folder.name.rpartition("-")[0].rpartition("-")
        with contextlib.suppress(OptionError):
            if _HASH.fullmatch(folder.name):
                yield parse_version(receipt.version) if receipt else UNKNOWN, folder
            elif platform and parse_version(version) == version:
                yield version, folder


def _order(found: tuple[str, Path]) -> tuple[bool, tuple[int, int, int, bool, str], Path]:
    version, folder = found
    return (version != UNKNOWN, version_key("0.0.0" if version == UNKNOWN else version), folder)


def _in(folder: Path, platform: str | None = None) -> Executable | None:
    receipt = read_receipt(folder)
    if receipt is None or folder.name != receipt.sha256 or platform not in (None, receipt.platform):
        return None
    path = folder / Platform.from_key(receipt.platform).executable
    return receipt.executable(path) if path.is_file() else None


def _used_by_instances(paths: Paths) -> dict[Path, str]:
    """The executables that instances use, also for their next start."""
    found = {}
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        refuse_unsafe(paths.instances)
        for folder in paths.instances.iterdir():
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                executable = Path(json.loads((folder / "record.json").read_bytes())["executable"])
                found[executable.resolve()] = f"the instance {folder.name} uses it"
    return found


def _running() -> dict[Path, str]:
    """The executables of running processes."""
    import psutil

    found = {}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            found[Path(process.exe())] = f"it is running (pid {process.pid})"
    return found


def _remove(folder: Path, seen: Executable | None, store: Path) -> str | None:
    """Remove a version's folder atomically; why it was kept, if it was."""
    import filelock

    from .install_lock import lock_of

    try:
        with lock_of(store, _lock_key(folder)):
            if _in(folder) != seen:
                return "another process has just installed it"
            aside = Path(tempfile.mkdtemp(prefix=f".tmp-{folder.name}-", dir=store))
            folder.rename(aside / "removed")
            shutil.rmtree(aside)
    except filelock.Timeout:
        return "another process is installing it"
    except OSError as error:
        raise FolderNotWritable(
            f"cannot remove {folder}: {error.strerror}", hint="check that you own the folder"
        ) from error
    return None


def _lock_key(folder: Path) -> str:
    """The key of the lock that an installation of the executable in this folder takes."""
    receipt = read_receipt(folder)
    return folder.name if receipt is None else f"{receipt.version}-{receipt.platform}"
