"""The file of one blob: written completely or not at all, and checked for its size and SHA-256."""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

from ..system.files import CHUNK
from .blob_format import MAX_HEAD_BYTES, head_size

UNFINISHED_SUFFIX = ".tmp"
_OPEN_FLAGS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)


def write_blob(path: Path, head: bytes, data: bytes, *, sync: bool) -> None:
    """Write `head` and `data` to a file, without a copy of `data`; with `sync` the file is on the disk on return.

    Raises:
        OSError: The file cannot be written; no part of it is left.
    """
    unfinished = path.with_name(f".{path.name[:16]}.{os.getpid()}-{os.urandom(4).hex()}{UNFINISHED_SUFFIX}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _OPEN_FLAGS, 0o600)
    try:
        with os.fdopen(descriptor, "wb", buffering=0) as file:
            for part in (head, data):
                view = memoryview(part)
                while view:
                    view = view[file.write(view[: 64 * CHUNK]) :]
            if sync:
                os.fsync(file.fileno())
        unfinished.replace(path)
        if sync:
            _sync_folder(path.parent)
    except OSError:
        with contextlib.suppress(OSError):
            unfinished.unlink()
        raise


def read_blob(path: Path) -> tuple[bytes, bytes]:
    """Head and data of a blob, each read once.

    Raises:
        OSError: The file is missing, is a link, or cannot be read.
        ValueError: The file is not a blob.
    """
    descriptor = os.open(path, os.O_RDONLY | _OPEN_FLAGS)
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        size = head_size(file.read(MAX_HEAD_BYTES))
        file.seek(0)
        return file.read(size), file.readall()


def touch_blob(path: Path, size: int) -> bool:
    """Whether a blob of that size exists; its time of storage becomes now, so that pruning keeps it."""
    try:
        if path.stat().st_size != size:
            return False
        os.utime(path)
    except FileNotFoundError:
        return False
    return True


def digest_of(head: bytes, data: bytes) -> str:
    """The SHA-256 of a blob, in hex."""
    digest = hashlib.sha256(head)
    digest.update(data)
    return digest.hexdigest()


def check_size(found: int, stored: int) -> None:
    """Raise ValueError if a blob has another size than the one that was stored."""
    if found != stored:
        raise ValueError(f"it has {found} bytes, {stored} were stored")


def check_digest(found: str, stored: str) -> None:
    """Raise ValueError if a blob has another SHA-256 than the one that was stored."""
    if found != stored:
        raise ValueError(f"its SHA-256 is {found}, {stored} was stored")


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
