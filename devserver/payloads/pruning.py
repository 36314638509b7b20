"""Removes blobs that nothing refers to.

A blob is removed if neither its server nor a copy of the server's database refers to it, and it was stored some time
ago: a reference to a blob that was just stored may still be on its way into a history.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable
from pathlib import Path

from .blob_files import UNFINISHED_SUFFIX
from .blobs import BlobFolder
from .errors import PayloadError, PayloadFolderUnusable, PayloadOptionError
from .model import PayloadUsage, PrunedPayloads

OLDER_THAN_SECONDS = 86400
ABANDONED_SECONDS = 3600
REMOVAL_SUFFIX = ".going"


def prune(
    blobs: BlobFolder, usage: PayloadUsage, *, older_than: float = OLDER_THAN_SECONDS, dry_run: bool = False
) -> PrunedPayloads:
    """Remove the blobs of a server that nothing refers to and that were last stored `older_than` seconds ago.

    Raises:
        PayloadError: Some references can only be read with a codec, so it is unknown what is unused.
        PayloadFolderUnusable: A blob cannot be removed.
    """
    if usage.encoded:
        raise PayloadError(
            f"{usage.encoded} pages of history hold references that only a codec can read",
            hint="nothing was removed",
        )
    before = time.time() - older_than
    removed, used, recent = [], 0, 0
    for blob in blobs.list(usage.server):
        if blob.digest in usage.uses:
            used += 1
        elif blob.stored > before or (not dry_run and not _remove(blob.path, before)):
            recent += 1
        else:
            removed.append(blob)
    if not dry_run:
        _remove_unfinished(blobs.folder / usage.server)
    return PrunedPayloads(tuple(removed), used, recent)


def remove_server_payloads(blobs: BlobFolder, server: str, *, dry_run: bool = False) -> PrunedPayloads:
    """Remove all blobs of a server that no longer exists.

    Raises:
        PayloadOptionError: The folder has no payloads of that server.
        PayloadFolderUnusable: A blob cannot be removed.
    """
    if server not in blobs.servers():
        raise PayloadOptionError(
            f"the folder has no payloads of a server {server}", hint="list the servers: devserver payloads status"
        )
    removed = list(blobs.list(server))
    if not dry_run:
        for blob in removed:
            _remove(blob.path, float("inf"))
        folder = blobs.folder / server
        _remove_unfinished(folder, older_than=0)
        for empty in (*_sorted(folder.iterdir()), folder):
            with contextlib.suppress(OSError):
                empty.rmdir()
    return PrunedPayloads(tuple(removed), 0, 0)


def _remove(path: Path, before: float) -> bool:
    """Remove a blob unless it was stored again after `before`; whether it is gone.

    It is renamed first: another process that stores it at this moment either updates its time, and it is renamed back,
    or writes it again.
    """
    renamed = path.with_name(f".{path.name[:16]}{REMOVAL_SUFFIX}")
    try:
        path.rename(renamed)
        if renamed.stat().st_mtime > before:
            renamed.rename(path)
            return False
        renamed.unlink()
    except FileNotFoundError:
        return True
    except OSError as error:
        raise PayloadFolderUnusable(
            f"cannot remove {path}: {error.strerror}", hint="check the permissions of the folder"
        ) from error
    return True


def _remove_unfinished(folder: Path, *, older_than: float = ABANDONED_SECONDS) -> None:
    """Remove unfinished files that killed processes left behind."""
    before = time.time() - older_than
    for path in _sorted(folder.glob("*/.*")):
        with contextlib.suppress(OSError):
            if path.name.endswith((UNFINISHED_SUFFIX, REMOVAL_SUFFIX)) and path.stat().st_mtime <= before:
                path.unlink()


def _sorted(paths: Iterable[Path]) -> list[Path]:
    try:
        return sorted(paths)
    except OSError:
        return []
