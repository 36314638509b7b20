"""A real Temporal cluster on this machine: every role a process of its own, on PostgreSQL or Cassandra."""

from __future__ import annotations

from ..system.lazy_names import lazy_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .control import ClusterControl
    from .declaration import Cassandra, Cluster, Load, Postgres, Roles, cassandra, load, postgres, roles
    from .errors import (
        CassandraMissing,
        ClusterBuildFailed,
        ClusterExecutableMissing,
        ClusterNotRunning,
        ClusterRunning,
        ClusterStartFailed,
        ClusterUnknown,
        MemberUnknown,
        NetworkNotIsolated,
        NodeNotAnswering,
        PostgresMissing,
        RingRefused,
        SchemaNotUpdatable,
    )
    from .external import ExternalCluster

__all__ = [
    "Cassandra",
    "CassandraMissing",
    "Cluster",
    "ClusterBuildFailed",
    "ClusterControl",
    "ClusterExecutableMissing",
    "ClusterNotRunning",
    "ClusterRunning",
    "ClusterStartFailed",
    "ClusterUnknown",
    "ExternalCluster",
    "Load",
    "MemberUnknown",
    "NetworkNotIsolated",
    "NodeNotAnswering",
    "Postgres",
    "PostgresMissing",
    "RingRefused",
    "Roles",
    "SchemaNotUpdatable",
    "cassandra",
    "load",
    "postgres",
    "roles",
]

_NAMES = {
    "control": ("ClusterControl",),
    "declaration": ("Cassandra", "Cluster", "Load", "Postgres", "Roles", "cassandra", "load", "postgres", "roles"),
    "errors": (
        *("ClusterBuildFailed", "ClusterExecutableMissing", "ClusterNotRunning", "ClusterRunning"),
        *("ClusterStartFailed", "ClusterUnknown", "MemberUnknown", "PostgresMissing"),
        *("CassandraMissing", "NetworkNotIsolated", "NodeNotAnswering", "RingRefused", "SchemaNotUpdatable"),
    ),
    "external": ("ExternalCluster",),
}

__getattr__, __dir__ = lazy_names(__name__, _NAMES)
