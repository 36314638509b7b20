"""What the store holds: list it, hash it again, remove what nobody needs."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import FolderNotWritable
from ..files import private_folder
from ..paths import Paths
from ..platforms import Platform
from ..releases import DEFAULT_VERSION
from . import receipts, trust
from .request import Executable
from .versions import order, pin, wanted


@dataclass(frozen=True)
class Verified:
    """An executable that was hashed again.

    Attributes:
        executable: As it was installed.
        found: What it hashes to now.
    """

    executable: Executable
    found: str

    @property
    def intact(self) -> bool:
        """Whether it is still what was installed."""
        return self.found == self.executable.sha256


@dataclass(frozen=True)
class Pruned:
    """What became of a version when the store was pruned.

    Attributes:
        executable: The version.
        size: Bytes of its executable.
        kept_because: Why it is still there; None where it was removed.
    """

    executable: Executable
    size: int
    kept_because: str | None


def installed(paths: Paths) -> list[Executable]:
    """The executables in the store, oldest version first. Nothing is hashed."""
    found = [executable for folder in _folders(paths) if (executable := _in(folder)) is not None]
    return sorted(found, key=lambda executable: order(executable.version))


def verify(paths: Paths) -> list[Verified]:
    """Every executable in the store, hashed again."""
    return [Verified(executable, trust.sha256_of(executable.path)) for executable in installed(paths)]


def prune(paths: Paths, *, keep: Collection[str] = (), everything: bool = False, dry_run: bool = False) -> list[Pruned]:
    """Remove all versions but the default one, those in `keep`, and those in use.

    Args:
        paths: Where the store and the instances are.
        keep: Versions to keep as well, in any form that `versions.wanted` takes.
        everything: Remove the default version too. What is in use is kept all the same.
        dry_run: Remove nothing, only tell.

    Raises:
        OptionError: A version to keep is none.
        FolderNotWritable: A folder cannot be removed.
    """
    kept = {wanted(version): "asked for with --keep" for version in keep}
    if not everything:
        kept.setdefault(DEFAULT_VERSION, "the default version")
    used = set(_in_use(paths))
    results = []
    for executable in installed(paths):
        in_use = executable.path in used or executable.path.resolve() in used
        reason = "a running server uses it" if in_use else kept.get(executable.version)
        size = executable.path.stat().st_size
        if reason is None and not dry_run:
            reason = _remove(executable.path.parent, private_folder(paths.store))
        results.append(Pruned(executable, size, reason))
    if not dry_run and paths.store.is_dir():
        from .turns import sweep

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


def _in(folder: Path) -> Executable | None:
    receipt = receipts.read(folder)
    if receipt is None or not folder.name.startswith(f"{receipt.version}-"):
        return None
    key = folder.name.removeprefix(f"{receipt.version}-")
    path = folder / Platform.from_key(key).executable
    if not path.is_file():
        return None
    pinned = receipt.sha256 == pin(receipt.version, key)
    return Executable(path, receipt.version, receipt.server_version, receipt.sha256, receipt.source, pinned)


def _in_use(paths: Paths) -> Iterator[Path]:
    """Executables that instances name, and those that run, whoever started them."""
    import psutil

    for record in paths.instances.glob("*/record.json"):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            yield Path(json.loads(record.read_bytes())["executable"])
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            yield Path(process.exe())


def _remove(folder: Path, store: Path) -> str | None:
    """Remove a version's folder, in one step for whoever looks; why not, where it cannot be."""
    import filelock

    from .turns import lock_of

    try:
        with lock_of(store, folder.name):
            aside = Path(tempfile.mkdtemp(prefix=f".tmp-{folder.name}-", dir=store))
            folder.rename(aside / "removed")
            shutil.rmtree(aside)
    except filelock.Timeout:
        return "another process is installing it"
    except OSError as error:
        raise FolderNotWritable(
            f"cannot remove {folder}: {error.strerror}", hint="see that the folder is yours"
        ) from error
    return None
