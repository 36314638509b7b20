"""Errors of clusters."""

from __future__ import annotations

from ..errors import DevServerError, NotFound, OptionError, StartFailed


class ClusterExecutableMissing(DevServerError):
    """The server's executable with all roles is not on this machine."""


class ClusterBuildFailed(DevServerError):
    """The executable with all roles could not be built."""


class PostgresMissing(DevServerError):
    """PostgreSQL's programs are not on this machine, or cannot be run by this user."""


class CassandraMissing(DevServerError):
    """Java or Cassandra's jars are not on this machine, and cannot be fetched."""


class NetworkNotIsolated(DevServerError):
    """The network of the cluster cannot be broken: it has none of its own, or `nft` is missing."""


class SchemaNotUpdatable(DevServerError):
    """The schema of the cluster's database cannot be updated by us."""


class NodeNotAnswering(DevServerError):
    """A node of Cassandra does not answer `nodetool`, for example because it starts or is busy."""


class RingRefused(DevServerError):
    """Cassandra refuses what `nodetool` asks of it."""


class ClusterStartFailed(StartFailed):
    """A member of the cluster did not start, or the cluster did not become ready."""


class ClusterRunning(DevServerError):
    """The cluster is already running."""


class ClusterNotRunning(DevServerError):
    """The cluster exists and is not running."""


class ClusterUnknown(NotFound):
    """There is no cluster of that name."""


class MemberUnknown(OptionError):
    """The cluster has no member and no role of that name."""


class DatabaseRefused(DevServerError):
    """A cluster's database refuses a connection or a statement, in its own words.

    Attributes:
        fatal: Whether it has ended the connection.
    """

    fatal = False
