"""The ring of a cluster: its nodes as members, their data, and what `nodetool` does to it."""

from __future__ import annotations

import functools
import os
import shutil
from collections.abc import Generator, Sequence
from pathlib import Path

from ...system.spawn import Child, spawn_bound
from ..errors import NodeNotAnswering, RingRefused
from ..folder import ClusterFolder
from ..isolation.host_networks import HostNetworks
from ..member import ClusterMember
from ..preparation import copy_folder
from . import cql, nodetool
from .jars import CassandraPrograms
from .node_server import ARCHIVE, CQL_PORT, DATA, RingNode
from .nodetool import RingEntry

SEEDS = 2
DETAILS = 6
ANSWERS = ("nodetool:", "error:")
UNREACHABLE = ("Failed to connect", "ConnectException", "SocketTimeoutException", "ConnectIOException", "timed out")


class Ring:
    """The nodes of one cluster.

    Args:
        folder: The cluster's folder.
        programs: Java and the jars.
        template: The template of the nodes' data.
        numbers: The numbers of the nodes.

    Attributes:
        hosts: Their networks.
    """

    def __init__(
        self, folder: ClusterFolder, programs: CassandraPrograms, template: Path, numbers: Sequence[int]
    ) -> None:
        self.numbers = list(numbers)
        self._first = list(numbers)
        self.hosts = HostNetworks()
        self._folder = folder
        self._programs = programs
        self._template = template
        self._running: dict[str, tuple[Child, Path]] = {}

    @property
    def addresses(self) -> list[str]:
        """The addresses of all nodes."""
        return [self.node(number).address for number in self.numbers]

    def node(self, number: int) -> RingNode:
        """A node by its number."""
        return RingNode(number, self._folder.path / "nodes" / f"node-{number}")

    def copy_template(self) -> None:
        """Copy the data of the nodes at the first start."""
        target = self._folder.path / "nodes"
        if target.exists():
            return
        aside = target.with_suffix(".new")
        shutil.rmtree(aside, ignore_errors=True)
        for number in self.numbers:
            copy_folder(self._template / f"node-{number}" / DATA, aside / f"node-{number}" / DATA)
        aside.rename(target)

    def reset(self) -> None:
        """Go back to the nodes and the data of a new ring; no node runs."""
        for child, _ in self._running.values():
            child.kill()
            child.wait()
        self._running.clear()
        for number in list(self.hosts.dropped):
            self.hosts.black_hole(number, on=False)
        shutil.rmtree(self._folder.path / "nodes", ignore_errors=True)
        self.numbers = list(self._first)
        self.copy_template()

    def member(self, number: int) -> ClusterMember:
        """A node as a member of the cluster; its configuration is written."""
        node = self.node(number)
        inside = (node.folder / DATA).exists() and (self._template / node.name).exists()
        # A node that asks itself for the ring begins without the others. Only one that is in the ring may do so; it
        # must where all start together: a node that finds no other one within some seconds ends.
        node.write([other for other in self.numbers if inside or other != number][: None if inside else SEEDS])
        self.hosts.add(number)
        words = self.hosts.inside(number, node.command(self._programs, self._template / ARCHIVE))
        place = f"{node.address}:{CQL_PORT}"
        return ClusterMember(node.name, words, self._folder, functools.partial(cql.serves, node.address), place)

    def add(self, number: int) -> ClusterMember:
        """A new node, without data: at its start it joins the ring."""
        self.numbers = sorted({*self.numbers, number})
        return self.member(number)

    def delete(self, number: int) -> None:
        """Forget a node that has ended, and remove its data."""
        self.numbers = [each for each in self.numbers if each != number]
        shutil.rmtree(self.node(number).folder, ignore_errors=True)
        self.hosts.remove(number)

    def entries(self, number: int) -> Generator[None, None, list[RingEntry]]:
        """The ring as this node sees it.

        Raises:
            RingRefused, NodeNotAnswering: The node does not answer.
        """
        return nodetool.ring_of((yield from self.nodetool(number, ["status"])))

    def nodetool(self, number: int, words: Sequence[str]) -> Generator[None, None, str]:
        """Run `nodetool` on a node; what it prints. If the same is running already, wait for its end.

        Raises:
            RingRefused: It fails.
            NodeNotAnswering: It does not reach the node: a busy one answers later.
        """
        node = self.node(number)
        key = f"{node.name} {' '.join(words)}"
        if key not in self._running:
            output = node.folder / f"nodetool-{words[0]}.log"
            output.unlink(missing_ok=True)
            command = nodetool.command(self._programs, node, words, self._template / ARCHIVE)
            command = self.hosts.inside(number, command)
            self._running[key] = (spawn_bound(command, log=output, environ=os.environ), output)
        child, output = self._running[key]
        while child.poll() is None:
            yield
        self._running.pop(key, None)
        text = output.read_text(errors="replace")
        if child.returncode:
            said = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith(("at ", "--"))]
            answered = child.returncode > 0 and said and not any(word in text for word in UNREACHABLE)
            why = next((line for line in said if line.startswith(ANSWERS)), said[0] if said else "it says nothing")
            raise (RingRefused if answered else NodeNotAnswering)(
                f"nodetool {' '.join(words)} on {node.name} failed: {why}",
                details=[line for line in said if line != why][:DETAILS],
                hint="see the ring with: devserver cluster ring",
            )
        return text
