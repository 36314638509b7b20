"""What the process that supervises a cluster says of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from . import outage_requests
from .database_links import DatabaseLinks
from .declaration import NODE, Cluster
from .folder import ClusterFolder
from .isolation.host_networks import address_of
from .member import ClusterMember
from .members import ClusterMembers
from .postgres_server import HOST
from .ring.node_server import CQL_PORT
from .ring.requests import RingRequests
from .role_config import MemberPorts, role_of


def status_of(
    folder: ClusterFolder,
    cluster: Cluster,
    members: ClusterMembers,
    ports: Mapping[str, MemberPorts],
    links: DatabaseLinks,
    ring: RingRequests | None,
) -> dict[str, Any]:
    """`name`, `address`, `namespace`, `version`, `state` (`ready`: every member runs), `outages`, `members`."""
    shown = [_shown(member, ports, ring) for member in members]
    return {
        "name": folder.name,
        "state": "ready" if all(member["state"] == "running" for member in shown) else "degraded",
        "address": f"{HOST}:{ports['frontend-1'].grpc}",
        "namespace": cluster.namespace,
        "version": cluster.version,
        "shards": cluster.shards,
        "folder": str(folder.path),
        "pid": os.getpid(),
        "outages": outage_requests.outages(links, folder),
        "members": shown,
    }


def _shown(member: ClusterMember, ports: Mapping[str, MemberPorts], ring: RingRequests | None) -> dict[str, Any]:
    shown = member.to_json()
    if ring is not None:
        shown["state"] = ring.state_of(member)
    node = role_of(member.name) == NODE
    shown["host"] = address_of(int(member.name.rpartition("-")[2])) if node else HOST
    own = MemberPorts(CQL_PORT) if node else ports[member.name]
    return {**shown, "ports": {kind: number for kind, number in vars(own).items() if number}}
