"""Cassandra's `nodetool`: its command line, and what its answers say of the ring."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..declaration import NODE
from ..isolation.host_networks import NETWORK
from .jars import CassandraPrograms
from .node_server import JMX_PORT, QUIET, RingNode, arguments, opened

MAIN = "org.apache.cassandra.tools.NodeTool"
LINE = re.compile(r"([UD?])([NLJM])\s+(\S+)\s.*?([0-9a-f]{8}-[0-9a-f-]{27})")
STATES = {"N": "normal", "L": "leaving", "J": "joining", "M": "moving"}


@dataclass(frozen=True)
class RingEntry:
    """A node as another one sees it.

    Attributes:
        name: Such as `node-2`.
        address: Its address.
        up: Whether the node that was asked reaches it.
        state: `normal`, `leaving`, `joining` or `moving`.
        host_id: Its id in the ring.
    """

    name: str
    address: str
    up: bool
    state: str
    host_id: str

    def to_json(self) -> dict[str, Any]:
        """Its attributes by name."""
        return asdict(self)


def command(
    programs: CassandraPrograms, node: RingNode, words: Sequence[str], archive: Path | None = None
) -> list[str]:
    """The command line that runs `nodetool WORDS` on a node."""
    quiet = node.folder / "quiet.xml"
    quiet.write_text(QUIET)
    flags = ["-Xmx64M", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", *opened()]
    if archive is not None and archive.is_file():
        flags.append(f"-XX:SharedArchiveFile={archive}")
    # The folder of its own history file is the user's home.
    flags += [f"-Dlogback.configurationFile={quiet}", f"-Duser.home={node.folder}"]
    flags += ["-cp", programs.class_path, MAIN, "-h", "127.0.0.1", "-p", str(JMX_PORT)]
    return [programs.java, arguments(node.folder / "nodetool.options", flags), *words]


def ring_of(text: str) -> list[RingEntry]:
    """The nodes in what `nodetool status` prints, by number."""
    found = [
        RingEntry(name_of(address), address, up == "U", STATES[state], host_id)
        for up, state, address, host_id in LINE.findall(text)
    ]
    return sorted(found, key=lambda entry: entry.name)


def name_of(address: str) -> str:
    """The name of the node with this address."""
    network, _, number = address.rpartition(".")
    return f"{NODE}-{number}" if network == NETWORK else address
