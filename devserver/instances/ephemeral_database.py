"""The database of an ephemeral server: a folder in shared memory where there is room, removed when the server ends."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

from ..errors import FolderNotWritable
from ..system.filelocks import LockedFile
from ..system.files import write_private

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - folders below it are made with mkdtemp, private to this user
ENOUGH_BYTES = 256 * 1024 * 1024
PREFIX = "temporal-devserver-"
OWNER = "owner"  # the file that names the instance's state folder

# A package of `devserver` that keeps data of a server elsewhere has a module of this name.
CLEANUP_MODULE = "instance_cleanup"
PACKAGES = Path(__file__).parents[1]


def create_folder(instance: Path) -> Path:
    """Create a folder for the database of the instance with the state folder `instance`.

    Returns:
        The path for the database file. A file in memory is faster than SQLite's own memory mode, which loses tables.
    """
    root = None
    with contextlib.suppress(OSError):
        space = os.statvfs(SHARED_MEMORY)
        if space.f_bavail * space.f_frsize > ENOUGH_BYTES and os.access(SHARED_MEMORY, os.W_OK):
            root = SHARED_MEMORY
    path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=root))
    write_private(path / OWNER, str(instance))
    return path / "temporal.db"


def hold(database: Path) -> LockedFile | None:
    """Lock the folder of a database until the lock is released: other containers see no process that uses it."""
    owner = database.parent / OWNER
    try:
        return LockedFile.attempt(owner, owner.read_text())
    except (OSError, FolderNotWritable):  # a folder that somebody removed: the server reports it
        return None


def is_held(database: Path) -> bool:
    """Whether a supervisor holds the folder of a database, in this container or another one."""
    return LockedFile.is_held(database.parent / OWNER)


def existing_folders(instances: Path) -> dict[str, list[Path]]:
    """The folders of ephemeral databases on this machine.

    Args:
        instances: The parent of the state folders whose databases are looked for.

    Returns:
        The name of each instance and its folders.
    """
    found: dict[str, list[Path]] = {}
    for root in {SHARED_MEMORY, Path(tempfile.gettempdir())}:
        for path in root.glob(f"{PREFIX}*"):
            with contextlib.suppress(OSError):
                if path.lstat().st_uid != os.getuid():
                    continue
                owner = Path((path / OWNER).read_text())
                if owner.parent == instances:
                    found.setdefault(owner.name, []).append(path)
    return found


def remove(database: Path) -> None:
    """Remove the folder of an ephemeral database, and first the data that other packages keep for its server.

    What cannot be removed stays, without an error.
    """
    if database.is_file():
        _run_cleanup_modules(database)
    shutil.rmtree(database.parent, ignore_errors=True)


def _run_cleanup_modules(database: Path) -> None:
    """Call `before_removal(database)` in every `devserver.*.instance_cleanup`.

    Modules are found by name, not by entry point: reading entry points takes longer than stopping the server.
    """
    from importlib import import_module

    root = __name__.partition(".")[0]
    for file in sorted(PACKAGES.glob(f"*/{CLEANUP_MODULE}.py")):
        with contextlib.suppress(Exception):  # a package that fails must not keep the database or another's data
            import_module(f"{root}.{file.parent.name}.{CLEANUP_MODULE}").before_removal(database)
