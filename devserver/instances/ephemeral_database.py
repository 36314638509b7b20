"""The database of an ephemeral server: a folder in shared memory where there is room, removed when the server ends."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

from ..config.server_options import SMALLEST_EPHEMERAL
from ..config.sizes import format_size
from ..errors import DatabaseFull, FolderNotWritable
from ..system.filelocks import LockedFile
from ..system.files import write_private

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - folders below it are made with mkdtemp, private to this user
ENOUGH_BYTES = 256 * 1024 * 1024
LARGEST_DEFAULT = 4 * 1024**3
PREFIX = "temporal-devserver-"
OWNER = "owner"  # the file that names the instance's state folder

# A package of `devserver` that keeps data of a server elsewhere has a module of this name.
CLEANUP_MODULE = "instance_cleanup"
PACKAGES = Path(__file__).parents[1]


def create_folder(instance: Path) -> Path:
    """Create a folder for the database of the instance with the state folder `instance`.

    Returns:
        The path for the database file. A file in memory is faster than SQLite's own memory mode, which loses tables.

    Raises:
        DatabaseFull: There is too little room for an empty database.
    """
    root = _root()
    free = free_bytes(root)
    if free < SMALLEST_EPHEMERAL:
        raise DatabaseFull(
            f"there is no room for an ephemeral database: {root} has {format_size(free)} left",
            details=[f"a new one needs {format_size(SMALLEST_EPHEMERAL)}"],
            hint="free some space there, or set TMPDIR to a folder with more room",
        )
    path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=root))
    write_private(path / OWNER, str(instance))
    return path / "temporal.db"


def default_size(database: Path) -> int:
    """The bound of a database in bytes, where the user gives none: a full memory would stop other programs too."""
    return max(SMALLEST_EPHEMERAL, min(LARGEST_DEFAULT, free_bytes(database.parent) // 2))


def free_bytes(folder: Path) -> int:
    """How many bytes the file system of a folder has left; 0 if it cannot be read."""
    try:
        space = os.statvfs(folder)
    except OSError:
        return 0
    return space.f_bavail * space.f_frsize


def _root() -> Path:
    """Shared memory if it has room, else the folder for temporary files.

    Raises:
        DatabaseFull: No folder for temporary files can be written.
    """
    if free_bytes(SHARED_MEMORY) > ENOUGH_BYTES and os.access(SHARED_MEMORY, os.W_OK):
        return SHARED_MEMORY
    try:
        return Path(tempfile.gettempdir())
    except OSError as error:
        raise DatabaseFull(
            f"there is no room for an ephemeral database: {error.strerror}",
            hint="free some space, or set TMPDIR to a folder with room",
        ) from error


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
    roots = {SHARED_MEMORY}
    with contextlib.suppress(OSError):  # every folder for temporary files is full
        roots.add(Path(tempfile.gettempdir()))
    for root in roots:
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

    What cannot be removed stays, without an error. So does any other folder: a record that is damaged, or a stranger's,
    may name any file.
    """
    folder = database.parent
    if not (folder.name.startswith(PREFIX) and (folder / OWNER).is_file()):
        return
    if database.is_file():
        _run_cleanup_modules(database)
    shutil.rmtree(folder, ignore_errors=True)


def _run_cleanup_modules(database: Path) -> None:
    """Call `before_removal(database)` in every `devserver.*.instance_cleanup`.

    Modules are found by name, not by entry point: reading entry points takes longer than stopping the server.
    """
    from importlib import import_module

    root = __name__.partition(".")[0]
    for file in sorted(PACKAGES.glob(f"*/{CLEANUP_MODULE}.py")):
        with contextlib.suppress(Exception):  # a package that fails must not keep the database or another's data
            import_module(f"{root}.{file.parent.name}.{CLEANUP_MODULE}").before_removal(database)
