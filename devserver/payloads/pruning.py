"""Removes blobs that nothing refers to.

A blob goes when the server that it was stored for has been asked for all it keeps, nothing there or in a copy of its
database refers to it, and it was last stored some time ago: what was stored a moment ago may be on its way into a
history.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from .blob_files import ASIDE
from .blobs import BlobFolder
from .errors import PayloadError, PayloadFolderUnusable, PayloadOptionError
from .model import PrunedPayloads

if TYPE_CHECKING:
    from .model import PayloadUsage

OLDER_THAN = 86400
ABANDONED_SECONDS = 3600
GOING = ".going"


def prune(
    blobs: BlobFolder, usage: PayloadUsage, *, older_than: float = OLDER_THAN, dry_run: bool = False
) -> PrunedPayloads:
    """Remove what the server of `usage` does not refer to and what was last stored `older_than` seconds ago.

    Raises:
        PayloadError: Some references can be read with a codec only, so nothing can be said to be unused.
        PayloadFolderUnusable: A blob cannot be removed.
    """
    if usage.encoded:
        raise PayloadError(
            f"{usage.encoded} pages of history hold references that only a codec can read",
            hint="nothing was removed",
        )
    before = time.time() - older_than
    removed, used, young = [], 0, 0
    for blob in blobs.list(usage.server):
        if blob.digest in usage.uses:
            used += 1
        elif blob.stored > before or (not dry_run and not _remove(blob.path, before)):
            young += 1
        else:
            removed.append(blob)
    if not dry_run:
        _remove_abandoned(blobs.folder / usage.server)
    return PrunedPayloads(tuple(removed), used, young)


def remove_server_payloads(blobs: BlobFolder, server: str, *, dry_run: bool = False) -> PrunedPayloads:
    """Remove all that was stored for a server which is no more.

    Raises:
        PayloadOptionError: Nothing is stored for such a server.
        PayloadFolderUnusable: A blob cannot be removed.
    """
    if server not in blobs.servers():
        raise PayloadOptionError(f"nothing is stored for a server {server}", hint="see: devserver payloads status")
    removed = list(blobs.list(server))
    if not dry_run:
        for blob in removed:
            _remove(blob.path, float("inf"))
        _remove_abandoned(blobs.folder / server, seconds=0)
        for folder in (*_inside((blobs.folder / server).iterdir()), blobs.folder / server):
            with contextlib.suppress(OSError):
                folder.rmdir()
    return PrunedPayloads(tuple(removed), 0, 0)


def _remove(path: Path, before: float) -> bool:
    """Whether the blob is gone. Who stores it again at this moment finds it, or writes it anew: it is set aside first,
    and put back where it was stored again meanwhile.
    """
    aside = path.with_name(f".{path.name[:16]}{GOING}")
    try:
        path.rename(aside)
        if aside.stat().st_mtime > before:
            aside.rename(path)
            return False
        aside.unlink()
    except FileNotFoundError:
        return True
    except OSError as error:
        raise PayloadFolderUnusable(
            f"{path} cannot be removed: {error.strerror}", hint="see that this user may write to the folder"
        ) from error
    return True


def _remove_abandoned(folder: Path, *, seconds: float = ABANDONED_SECONDS) -> None:
    """Remove what processes that died left half-written."""
    before = time.time() - seconds
    for path in _inside(folder.glob("*/.*")):
        with contextlib.suppress(OSError):
            if path.name.endswith((ASIDE, GOING)) and path.stat().st_mtime <= before:
                path.unlink()


def _inside(paths: Iterable[Path]) -> list[Path]:
    try:
        return sorted(paths)
    except OSError:
        return []
