"""The configuration files of a cluster: one for each process, and the dynamic configuration.

Keys as in `go.temporal.io/server/common/config`. They are written as JSON, which is YAML too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..server.http_api import HOST as HTTP_HOST
from ..system.files import write_private
from .declaration import DATABASE, ROLES, Cluster
from .folder import ClusterFolder
from .postgres_server import HOST, PASSWORD, USER
from .ring.node_server import CQL_PORT, KEYSPACE

MEMBERSHIP = "membership"
PORTS = ("grpc", MEMBERSHIP, "metrics")
HTTP = "http"  # of frontends too
CONNECTIONS = 20  # of each process to each of the two databases
JOIN_SECONDS = 30
DATABASE_GROUP = "database"  # every process of the database


@dataclass(frozen=True)
class MemberPorts:
    """The ports of one process; 0 for what it does not have. A database has `grpc` only.

    All are on 127.0.0.1, but those of Cassandra's nodes, which have addresses of their own.
    """

    grpc: int
    membership: int = 0
    metrics: int = 0
    http: int = 0


def role_of(member: str) -> str:
    """The role of a member: `history` for `history-2`."""
    return member.rpartition("-")[0] or member


def groups_of(member: str) -> tuple[str, ...]:
    """The names that mean a member and others like it: its role, or `database`."""
    role = role_of(member)
    return (role,) if role in ROLES else (role, DATABASE_GROUP)


def write_configs(
    folder: ClusterFolder,
    cluster: Cluster,
    ports: Mapping[str, MemberPorts],
    link: Callable[[str], MemberPorts | None],
    nodes: Sequence[str],
) -> None:
    """Write the configuration of each process with a role.

    Args:
        folder: The cluster's folder.
        cluster: The declaration.
        ports: The ports of all processes.
        link: Where a process finds the database, if it has a way of its own.
        nodes: The addresses of Cassandra's nodes.
    """
    password = (folder.path / PASSWORD).read_text()
    for name in cluster.roles.members():
        found = {**ports, DATABASE: link(name) or ports[DATABASE]}
        text = member_config(cluster, name, found, password, str(folder.dynamic_config), nodes)
        write_private(folder.config(name), text)


def member_config(
    cluster: Cluster,
    member: str,
    ports: Mapping[str, MemberPorts],
    password: str,
    dynamic: str,
    nodes: Sequence[str] = (),
) -> str:
    """The configuration of one process.

    Args:
        cluster: The declaration.
        member: The process, such as `history-2`.
        ports: The ports of all processes, the database's too.
        password: The password of the database.
        dynamic: The path of the dynamic configuration.
        nodes: The addresses of Cassandra's nodes, if there are any; PostgreSQL has the visibility only then.
    """
    own, frontend = ports[member], ports["frontend-1"]
    address = f"{HOST}:{frontend.grpc}"
    # A process has no client of a role that is not in its file. The ports of other roles come by gossip.
    services = {role: {"rpc": _rpc(ports[f"{role}-1"])} for role in ROLES} | {role_of(member): {"rpc": _rpc(own)}}
    stores = {
        "default": _cassandra_store(nodes) if nodes else _sql_store("temporal", ports[DATABASE].grpc, password),
        "visibility": _sql_store("temporal_visibility", ports[DATABASE].grpc, password),
    }
    return json.dumps(
        {
            "log": {"stdout": True, "level": "info", "format": "console"},
            "persistence": {
                "defaultStore": "default",
                "visibilityStore": "visibility",
                "numHistoryShards": cluster.shards,
                "datastores": stores,
            },
            "global": {
                "membership": {"maxJoinDuration": f"{JOIN_SECONDS}s", "broadcastAddress": HOST},
                "metrics": {"prometheus": {"timerType": "histogram", "listenAddress": f"{HOST}:{own.metrics}"}},
            },
            "services": services,
            "clusterMetadata": {
                "enableGlobalNamespace": False,
                "failoverVersionIncrement": 10,
                "masterClusterName": "active",
                "currentClusterName": "active",
                "clusterInformation": {
                    "active": {
                        "enabled": True,
                        "initialFailoverVersion": 1,
                        "rpcName": "frontend",
                        "rpcAddress": address,
                    }
                },
            },
            "dcRedirectionPolicy": {"policy": "noop"},
            "publicClient": {"hostPort": address},
            "dynamicConfigClient": {"filepath": dynamic, "pollInterval": "5s"},
        },
        indent=2,
    )


def _sql_store(database: str, port: int, password: str) -> dict[str, Any]:
    return {
        "sql": {
            "pluginName": "postgres12",
            "databaseName": database,
            "connectAddr": f"{HOST}:{port}",
            "connectProtocol": "tcp",
            "user": USER,
            "password": password,
            "maxConns": CONNECTIONS,
            "maxIdleConns": CONNECTIONS,
            "maxConnLifetime": "1h",
        }
    }


def _cassandra_store(nodes: Sequence[str]) -> dict[str, Any]:
    return {"cassandra": {"hosts": ",".join(nodes), "port": CQL_PORT, "keyspace": KEYSPACE}}


def _rpc(ports: MemberPorts) -> dict[str, Any]:
    rpc: dict[str, Any] = {"grpcPort": ports.grpc, "membershipPort": ports.membership, "bindOnIP": HOST}
    return {**rpc, "httpPort": ports.http} if ports.http else rpc


def dynamic_config(values: Mapping[str, Any]) -> str:
    """The file of the dynamic configuration, with these values for all namespaces.

    The HTTP API answers only requests to a host that no page in a browser can name (`server/http_api.py`).
    """
    all_values = {"frontend.httpAllowedHosts": [HTTP_HOST], **values}
    return json.dumps({key: [{"value": value}] for key, value in all_values.items()}, indent=2)
