"""Files and folders: private to this user (0700, 0600), written as a whole, hashed."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Mapping
from pathlib import Path

from ..errors import FolderNotWritable, UnsafeFolder

CHUNK = 1 << 20
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # a full disk, a quota, a limit on file sizes


def private_folder(path: Path) -> Path:
    """Create the folder `path` with its parents, and check that only this user can write to it.

    Raises:
        UnsafeFolder: Another user owns it, or its mode lets other users write.
        FolderNotWritable: It cannot be created, or is not a folder.
    """
    try:
        for folder in (*reversed(path.parents), path):
            if not folder.exists():
                folder.mkdir(mode=0o700, exist_ok=True)
        if not path.is_dir():
            raise NotADirectoryError(20, "it is a file", str(path))
    except OSError as error:
        raise FolderNotWritable(
            f"cannot create the folder {path}: {error.strerror}",
            hint="set DEVSERVER_HOME to a folder you can write to",
        ) from error
    refuse_unsafe(path)
    return path


def refuse_unsafe(path: Path) -> None:
    """Check that only this user can write to the folder `path`. A folder that does not exist is safe.

    Raises:
        UnsafeFolder: Another user owns it, or its mode lets other users write.
        FolderNotWritable: It cannot be read.
    """
    try:
        info = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise unreadable(path, error) from error
    if not hasattr(os, "getuid"):
        return
    if info.st_uid != os.getuid():
        raise UnsafeFolder(
            f"{path} belongs to user {info.st_uid}, not to you (user {os.getuid()})",
            hint="its owner could replace the server's executable; set DEVSERVER_HOME to a folder of your own",
        )
    if info.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise UnsafeFolder(
            f"other users may write to {path} (mode {stat.S_IMODE(info.st_mode):04o})",
            hint=f"run: chmod 700 {path}",
        )


def unreadable(path: Path, error: OSError) -> FolderNotWritable:
    """The error for a folder that cannot be read."""
    return FolderNotWritable(
        f"cannot read the folder {path}: {error.strerror}",
        hint=f"give yourself access (chmod 700 {path.parent}), or set DEVSERVER_HOME to another folder",
    )


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    import hashlib  # slow to import: not on the way to what is installed

    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def write_private(path: Path, text: str) -> None:
    """Write `text` to `path`, completely or not at all, readable by this user only.

    Raises:
        FolderNotWritable: The disk is full or the folder cannot be written.
    """
    try:
        write_whole({path: text}, mode=0o600)
    except OSError as error:
        raise FolderNotWritable(
            f"cannot write {path}: {error.strerror}",
            hint="free some space, or set DEVSERVER_HOME to a folder you can write to",
        ) from error


def write_whole(texts: Mapping[Path, str], *, mode: int = 0o666) -> None:
    """Write text files so that no reader sees a part: all are written to temporary files, which are then renamed.

    Raises:
        OSError: A file cannot be written; the files are as before.
    """
    asides: dict[Path, Path] = {}
    try:
        for path, text in texts.items():
            # An unpredictable name: the file may be in /tmp.
            aside = asides[path] = path.with_name(f".{path.name}.{os.getpid()}-{os.urandom(4).hex()}.tmp")
            descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
        for path, aside in asides.items():
            aside.replace(path)
    except OSError:
        for aside in asides.values():
            with contextlib.suppress(OSError):
                aside.unlink()
        raise
