"""The SQLite file: its owner, stamp, schema, upgrade, snapshots and health.

What imports SQLite is loaded when first asked for: a supervisor that finds its own stamp needs none of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .lock import DatabaseLease
from .prepare import prepare
from .stamp import Stamp, read_stamp, stamp
from .users import other_users, refuse_users

if TYPE_CHECKING:
    from . import snapshots
    from .checks import CheckResult, check
    from .restore import refuse_newer, restore_into
    from .snapshots import Snapshot

__all__ = [
    "CheckResult",
    "DatabaseLease",
    "Snapshot",
    "Stamp",
    "check",
    "other_users",
    "prepare",
    "read_stamp",
    "refuse_newer",
    "refuse_users",
    "restore_into",
    "snapshots",
    "stamp",
]

_LATER = {
    "CheckResult": "checks",
    "Snapshot": "snapshots",
    "check": "checks",
    "refuse_newer": "restore",
    "restore_into": "restore",
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name == "snapshots":
        return import_module(".snapshots", __name__)
    if name in _LATER:
        return getattr(import_module(f".{_LATER[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
