"""The errors of snapshots."""

from __future__ import annotations

from ..errors import DatabaseError, DevServerError, NotFound


class SnapshotFileDamaged(DatabaseError):
    """A file is no exported snapshot, is truncated, or has changed since."""


class SnapshotFileTooNew(DatabaseError):
    """A newer devserver wrote the file of a snapshot."""


class SnapshotUnknown(NotFound):
    """No snapshot has that name."""


class SnapshotExists(DevServerError):
    """A snapshot with that name exists already."""
