"""One blob's file: written whole or not at all, read once, its size and SHA-256 checked."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from .blob_format import LONGEST_HEAD, split_head

ASIDE = ".tmp"


_OPEN = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)


def digest_of(head: bytes, data: bytes) -> str:
    """The SHA-256 of both, in hex."""
    digest = hashlib.sha256(head)
    digest.update(data)
    return digest.hexdigest()


def _touch(path: Path, size: int) -> bool:
    """Whether the blob is there as it should be; then it counts as stored now, and pruning passes it over."""
    try:
        if path.stat().st_size != size:
            return False
        os.utime(path)
    except FileNotFoundError:
        return False
    return True


def _read(path: Path) -> tuple[bytes, bytes]:
    """Head and data of a blob, each read once."""
    descriptor = os.open(path, os.O_RDONLY | _OPEN)
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        split = split_head(file.read(LONGEST_HEAD))
        file.seek(0)
        return file.read(split), file.readall()


def _check(found: int | str, stored: int | str) -> None:
    """ValueError: What was found of a blob is not what it was stored with."""
    if found != stored:
        what = "bytes" if isinstance(found, int) else "as its SHA-256"
        raise ValueError(f"it has {found} {what}, stored were {stored}")


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
