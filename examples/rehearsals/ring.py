"""A simulated Cassandra ring in a file: nodes join and leave it like a real ring.

As in a real ring, joining does not check whether a node has joined before.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from devserver.rehearsal import ledger

NODES = ["node-1", "node-2", "node-3"]


class Ring:
    """The ring in a folder. Each change goes to a temporary file that is renamed, so a kill never leaves half of it."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "ring.json"

    @classmethod
    def here(cls) -> Ring:
        """The ring of this run, next to the rehearsal's ledger."""
        return cls(Path(os.environ.get(ledger.FILE, tempfile.gettempdir() + "/ledger.jsonl")).parent)

    @property
    def nodes(self) -> list[str]:
        """The nodes that own a part of the ring; a node that joined twice is listed twice."""
        found: list[str] = json.loads(self._file.read_text()) if self._file.exists() else NODES
        return found

    @property
    def healthy(self) -> bool:
        """Whether the ring has its first nodes, and no node twice."""
        return set(NODES) <= set(self.nodes) and len(set(self.nodes)) == len(self.nodes)

    def join(self, node: str) -> None:
        """Give a node a part of the ring."""
        self._write([*self.nodes, node])

    def leave(self, node: str) -> None:
        """Remove all parts of a node from the ring."""
        self._write([each for each in self.nodes if each != node])

    def _write(self, nodes: list[str]) -> None:
        aside = self._file.with_suffix(f".{os.getpid()}")
        aside.write_text(json.dumps(nodes))
        aside.replace(self._file)
