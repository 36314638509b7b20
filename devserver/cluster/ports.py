"""The ports of a cluster's processes: chosen and reserved, those of the last time where they are free."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..system.ports import Reservations
from .declaration import DATABASE, Cluster
from .role_config import HTTP, MEMBERSHIP, PORTS, MemberPorts, role_of

SMALLINT = 2**15  # the schema of PostgreSQL has membership ports as a signed 16-bit number


def reserved(
    cluster: Cluster, reservations: Reservations, before: Mapping[str, Any], port: int | None
) -> dict[str, MemberPorts]:
    """The ports of PostgreSQL and of every process with a role.

    Args:
        cluster: The declaration.
        reservations: What keeps them from other programs.
        before: The ports of the last time, by member.
        port: The port of the first frontend; None: that of the last time, or any.

    Raises:
        PortTaken: Another process listens on `port`.
    """
    take = reservations.take
    found = {DATABASE: MemberPorts(take(None, before.get(DATABASE, {}).get("grpc"), "--port"))}
    for member in cluster.roles.members():
        wanted = before.get(member, {})
        kinds = (*PORTS, HTTP) if role_of(member) == "frontend" else PORTS
        ports = {
            kind: take(port if (member, kind) == ("frontend-1", "grpc") else None, wanted.get(kind), "--port")
            for kind in kinds
            if kind != MEMBERSHIP
        }
        ports[MEMBERSHIP] = reservations.take_below(SMALLINT, wanted.get(MEMBERSHIP))
        found[member] = MemberPorts(**ports)
    return found


def reserved_links(cluster: Cluster, reservations: Reservations) -> dict[str, int]:
    """A port for the link of each process to its database."""
    return {member: reservations.take(None, None, "--port") for member in cluster.roles.members()}
