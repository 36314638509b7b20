"""A real Temporal cluster on this machine: every role a process of its own, on PostgreSQL."""

from __future__ import annotations

from ..system.lazy_names import lazy_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .control import ClusterControl
    from .declaration import Cluster, Load, Postgres, Roles, load, postgres, roles
    from .errors import (
        ClusterBuildFailed,
        ClusterExecutableMissing,
        ClusterNotRunning,
        ClusterRunning,
        ClusterStartFailed,
        ClusterUnknown,
        MemberUnknown,
        PostgresMissing,
    )

__all__ = [
    "Cluster",
    "ClusterBuildFailed",
    "ClusterControl",
    "ClusterExecutableMissing",
    "ClusterNotRunning",
    "ClusterRunning",
    "ClusterStartFailed",
    "ClusterUnknown",
    "Load",
    "MemberUnknown",
    "Postgres",
    "PostgresMissing",
    "Roles",
    "load",
    "postgres",
    "roles",
]

_NAMES = {
    "control": ("ClusterControl",),
    "declaration": ("Cluster", "Load", "Postgres", "Roles", "load", "postgres", "roles"),
    "errors": (
        *("ClusterBuildFailed", "ClusterExecutableMissing", "ClusterNotRunning", "ClusterRunning"),
        *("ClusterStartFailed", "ClusterUnknown", "MemberUnknown", "PostgresMissing"),
    ),
}

__getattr__, __dir__ = lazy_names(__name__, _NAMES)
