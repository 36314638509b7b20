"""What a cluster consists of: its version, its database, how many processes each role has."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from ..config.option_values import check_namespace
from ..errors import OptionError

DEFAULT_VERSION = "1.32.0"
ROLES = ("frontend", "history", "matching", "worker")
MOST_OF_A_ROLE = 9
MOST_SHARDS = 16384
DATABASE = "postgres"
NODE = "node"
MOST_NODES = 6

_VERSION = re.compile(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?\Z")


@dataclass(frozen=True)
class Roles:
    """How many processes of each role run; one frontend at least serves the clients.

    Raises:
        OptionError: A number is not from 1 to 9.
    """

    frontend: int = 1
    history: int = 2
    matching: int = 1
    worker: int = 1

    def __post_init__(self) -> None:
        for name in ROLES:
            number = getattr(self, name)
            if not isinstance(number, int) or not 1 <= number <= MOST_OF_A_ROLE:
                raise OptionError(
                    f"a cluster cannot have {number} {name} processes", hint=f"give a number from 1 to {MOST_OF_A_ROLE}"
                )

    def members(self) -> tuple[str, ...]:
        """The names of all processes, such as `history-2`, role by role."""
        return tuple(f"{name}-{number}" for name in ROLES for number in range(1, getattr(self, name) + 1))

    def __str__(self) -> str:
        return ", ".join(f"{getattr(self, name)} {name}" for name in ROLES)


@dataclass(frozen=True)
class Postgres:
    """A PostgreSQL of the cluster's own, in one process tree.

    Attributes:
        connections: The most connections that it accepts (`max_connections`).

    Raises:
        OptionError: It has room for fewer connections than a cluster needs.
    """

    connections: int = 200

    def __post_init__(self) -> None:
        if not isinstance(self.connections, int) or not 20 <= self.connections <= 10_000:
            raise OptionError(
                f"a cluster cannot work with {self.connections} connections to its database",
                hint="give a number from 20 to 10000",
            )

    def __str__(self) -> str:
        return f"PostgreSQL, {self.connections} connections"


@dataclass(frozen=True)
class Cassandra:
    """A ring of Cassandra nodes of the cluster's own, each a process; visibility stays on a PostgreSQL.

    Attributes:
        nodes: How many nodes the ring has at the start.
        replication: On how many of them each row is (the replication factor of Temporal's keyspace).

    Raises:
        OptionError: A number is not from 1 to 6, or there are fewer nodes than copies.
    """

    nodes: int = 3
    replication: int = 3

    def __post_init__(self) -> None:
        for name in ("nodes", "replication"):
            number = getattr(self, name)
            if not isinstance(number, int) or not 1 <= number <= MOST_NODES:
                raise OptionError(
                    f"cassandra({name}={number!r}) is not possible", hint=f"give a number from 1 to {MOST_NODES}"
                )
        if self.replication > self.nodes:
            raise OptionError(
                f"{self.nodes} nodes cannot hold {self.replication} copies of each row",
                hint="give as many nodes as the replication factor, or more",
            )

    @property
    def connections(self) -> int:
        """The most connections of the PostgreSQL that has the visibility."""
        return Postgres().connections

    def __str__(self) -> str:
        nodes = "1 node" if self.nodes == 1 else f"{self.nodes} nodes"
        return f"Cassandra, {nodes}, replication factor {self.replication}"


@dataclass(frozen=True)
class Load:
    """The workload of a cluster that is a rehearsal's patient: workflows with a timer and an activity.

    Attributes:
        every: Seconds from one start to the next.
        deadline: Seconds within which a start must be acknowledged; the client gives up then, and does not try again.
        signals: Whether each gets a signal.
        updates: Whether each gets an update.
        schedules: Whether a schedule, which acts once, is created with every tenth.

    Raises:
        OptionError: A time is not from 0.01 to 3600 seconds.
    """

    every: float = 0.2
    deadline: float = 2.0
    signals: bool = True
    updates: bool = True
    schedules: bool = True

    def __post_init__(self) -> None:
        for name in ("every", "deadline"):
            number = getattr(self, name)
            if not isinstance(number, (int, float)) or not 0.01 <= number <= 3600:
                raise OptionError(f"load({name}={number!r}) is not a time", hint="give 0.01 to 3600 seconds")

    def __str__(self) -> str:
        return f"a workflow every {self.every:g} s, acknowledged within {self.deadline:g} s"


@dataclass(frozen=True)
class Cluster:
    """A Temporal cluster of several processes on one machine.

    Attributes:
        version: The version of the server, such as `1.32.0`; see `devserver cluster build`.
        database: Its database: `postgres()` or `cassandra()`.
        roles: How many processes each role has.
        shards: The number of history shards; it cannot be changed later.
        namespace: The namespace that it is created with.
        dynamic_config: Values of the server's dynamic configuration, by key.
        load: Its workload while it is the patient of a rehearsal; None: no workload.

    Raises:
        OptionError: A value is out of its range.
    """

    version: str = DEFAULT_VERSION
    database: Postgres | Cassandra = field(default_factory=Postgres)
    roles: Roles = field(default_factory=Roles)
    shards: int = 8
    namespace: str = "default"
    dynamic_config: Mapping[str, Any] = field(default_factory=dict)
    load: Load | None = field(default_factory=Load)

    def __post_init__(self) -> None:
        check_version(self.version)
        check_namespace(self.namespace)
        if not isinstance(self.shards, int) or not 1 <= self.shards <= MOST_SHARDS:
            raise OptionError(
                f"a cluster cannot have {self.shards} history shards", hint=f"give a number from 1 to {MOST_SHARDS}"
            )

    def members(self) -> tuple[str, ...]:
        """The names of all processes: those of the database, then role by role."""
        nodes = self.database.nodes if isinstance(self.database, Cassandra) else 0
        return (DATABASE, *(f"{NODE}-{number}" for number in range(1, nodes + 1)), *self.roles.members())

    def to_json(self) -> dict[str, Any]:
        """The declaration as JSON: its attributes by name."""
        kind = next(kind for kind, each in _DATABASES.items() if isinstance(self.database, each))
        return {**asdict(self), "database": {"kind": kind, **asdict(self.database)}}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Cluster:
        """The declaration that `to_json` wrote; keys that this version does not know are ignored."""
        known = {key: data[key] for key in (each.name for each in fields(cls)) if key in data}
        database = dict(data["database"])
        known["database"] = _DATABASES[database.pop("kind", "postgres")](**database)
        known["roles"] = Roles(**data["roles"])
        known["load"] = Load(**data["load"]) if data.get("load") else None
        return cls(**known)

    def __str__(self) -> str:
        return f"Temporal {self.version}: {self.roles}; {self.shards} shards; {self.database}"

    def with_load(self) -> str:
        """The cluster and its workload, in one line."""
        return f"{self}; load: {self.load or 'none'}"


_DATABASES: Mapping[str, type[Postgres] | type[Cassandra]] = {"postgres": Postgres, "cassandra": Cassandra}


def check_version(version: str) -> str:
    """The version of a server, checked: it becomes the name of a folder and of a Go module's version.

    Raises:
        OptionError: It is not of the form 1.32.0.
    """
    if not _VERSION.match(version):
        raise OptionError(
            f"{version!r} is not a version of the Temporal server", hint=f"write it as in {DEFAULT_VERSION}"
        )
    return version


def roles(*, frontend: int = 1, history: int = 2, matching: int = 1, worker: int = 1) -> Roles:
    """The number of processes of each role."""
    return Roles(frontend=frontend, history=history, matching=matching, worker=worker)


def postgres(*, connections: int = 200) -> Postgres:
    """A PostgreSQL as the cluster's database, with this many connections at most."""
    return Postgres(connections=connections)


def cassandra(*, nodes: int = 3, replication: int = 3) -> Cassandra:
    """A ring of Cassandra nodes as the cluster's database, with this many copies of each row."""
    return Cassandra(nodes=nodes, replication=replication)


def load(
    *,
    every: float = 0.2,
    deadline: float = 2.0,
    signals: bool = True,
    updates: bool = True,
    schedules: bool = True,
) -> Load:
    """A workload: a workflow starts every `every` seconds, and must be acknowledged within `deadline` seconds.

    Each gets a signal and an update; every tenth comes with a schedule, which acts once.
    """
    return Load(every=every, deadline=deadline, signals=signals, updates=updates, schedules=schedules)
