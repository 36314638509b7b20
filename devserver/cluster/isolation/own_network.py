"""The network of a cluster with Cassandra: a namespace of its own, into which ports lead, with a host for each node."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable

from ..errors import NetworkNotIsolated
from ..postgres_server import HOST
from . import carrier
from .host_networks import HostNetworks
from .namespace import enter_network


class OwnNetwork:
    """The network in which this process and its later children are.

    Attributes:
        hosts: The networks of its nodes.
    """

    def __init__(self) -> None:
        self.hosts = HostNetworks()
        self._carrier: subprocess.Popen[bytes] | None = None

    def enter(self, ports: Iterable[int] = ()) -> None:
        """Enter a new network. These ports of 127.0.0.1 lead from the network outside into it.

        Raises:
            NetworkNotIsolated: This user may not have one.
        """
        outside = carrier.listen(HOST, [port for port in ports if port])
        try:
            obstacle = enter_network()
            if obstacle is not None:
                raise NetworkNotIsolated(
                    "a cluster with Cassandra needs a network of its own",
                    details=[obstacle],
                    hint="allow user namespaces: see user_namespaces(7), in a container its seccomp profile",
                )
            self.hosts.begin()
            if outside:
                self._carrier = carrier.start(outside)
        finally:
            for listener in outside:
                listener.close()

    def close(self) -> None:
        """End what carries the ports."""
        if self._carrier is not None:
            self._carrier.kill()
            self._carrier.wait()
            self._carrier = None
