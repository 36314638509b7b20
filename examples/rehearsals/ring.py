"""A simulated Cassandra ring, kept in a file: nodes are added to it as to a real one."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

NODES = ("node-1", "node-2", "node-3")


class Ring:
    """The ring of a rehearsal. Each change is written aside and moved into place."""

    def __init__(self, file: Path) -> None:
        self._file = file

    @classmethod
    def of_rehearsal(cls) -> Ring:
        """The ring beside the rehearsal's ledger, or in the temporary folder."""
        ledger = os.environ.get("DEVSERVER_LEDGER")
        folder = Path(ledger).parent if ledger else Path(tempfile.gettempdir())
        return cls(folder / "ring.json")

    @property
    def tokens(self) -> list[str]:
        """The nodes that own a part of the ring; one that joined twice is here twice."""
        if not self._file.exists():
            return list(NODES)
        found: list[str] = json.loads(self._file.read_text())
        return found

    def join(self, node: str) -> None:
        """A node takes its part of the ring."""
        aside = self._file.with_suffix(f".{os.getpid()}")
        aside.write_text(json.dumps([*self.tokens, node]))
        aside.replace(self._file)
