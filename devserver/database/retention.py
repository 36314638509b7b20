"""Copies that nobody asked for: what a restore replaced, and backups before upgrades. The newest ones are kept."""

from __future__ import annotations

from pathlib import Path

from .catalog import delete
from .errors import SnapshotUnknown
from .sqlite import our_errors, remove_whole

KEPT = 5  # of each kind, for an instance
BEFORE_RESTORE = "before-restore-"


def prune_replaced(folder: Path) -> list[str]:
    """Delete all but the newest `KEPT` snapshots that restores have saved in a folder; the names of those deleted."""
    found = [path for path in folder.glob(f"{BEFORE_RESTORE}*") if path.is_dir()]
    found.sort(key=lambda path: path.stat().st_mtime_ns)
    deleted = []
    for name in [path.name for path in found[:-KEPT]]:
        try:
            delete(folder, name)
        except SnapshotUnknown:  # not one of ours: it stays
            continue
        deleted.append(name)
    return deleted


def prune_backups(backups: Path) -> list[str]:
    """Delete all but the newest `KEPT` backups in a folder; the names of those deleted."""
    files = sorted(backups.glob("*.db"), key=lambda path: path.stat().st_mtime_ns)
    with our_errors(backups):
        for path in files[:-KEPT]:
            remove_whole(path)
    return [path.name for path in files[:-KEPT]]


def kept_copies(snapshots: Path, backups: Path) -> tuple[int, int]:
    """How many such copies there are, and their size in bytes."""
    files = [*snapshots.glob(f"{BEFORE_RESTORE}*/*"), *backups.glob("*")]
    count = len([*snapshots.glob(f"{BEFORE_RESTORE}*")]) + len([*backups.glob("*.db")])
    return count, sum(path.stat().st_size for path in files if path.is_file())
