"""The SQLite file: its owner, stamp, schema, upgrade, snapshots and health.

What imports SQLite is loaded when first asked for: a supervisor that finds its own stamp needs none of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..system.lazy_names import lazy_names
from .lock import DatabaseLease
from .overdue import Overdue, OverdueSchedule
from .prepare import prepare
from .stamp import Stamp, read_stamp, stamp
from .users import other_users, refuse_users

if TYPE_CHECKING:
    from . import snapshots
    from .checks import CheckResult, Level, check
    from .restore import is_newer, refuse_newer, restore_into
    from .retention import kept_copies
    from .snapshot_file import export_snapshot, import_snapshot
    from .snapshots import Snapshot
    from .stopped_database import StoppedDatabase, find_overdue

__all__ = [
    "CheckResult",
    "DatabaseLease",
    "Level",
    "Overdue",
    "OverdueSchedule",
    "Snapshot",
    "Stamp",
    "StoppedDatabase",
    "check",
    "export_snapshot",
    "find_overdue",
    "import_snapshot",
    "is_newer",
    "kept_copies",
    "other_users",
    "prepare",
    "read_stamp",
    "refuse_newer",
    "refuse_users",
    "restore_into",
    "snapshots",
    "stamp",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "checks": ("CheckResult", "Level", "check"),
        "restore": ("is_newer", "refuse_newer", "restore_into"),
        "retention": ("kept_copies",),
        "snapshot_file": ("export_snapshot", "import_snapshot"),
        "snapshots": ("Snapshot",),
        "stopped_database": ("StoppedDatabase", "find_overdue"),
    },
    modules={"snapshots": "snapshots"},
)
