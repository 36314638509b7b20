"""A simulated fleet of database clusters, kept in a file: which version each of them runs."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from devserver.rehearsal import ledger

CLUSTERS = [f"cluster-{number:02}" for number in range(1, 21)]


class Fleet:
    """The fleet of a folder; all clusters begin with version 4."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "fleet.json"

    @classmethod
    def here(cls) -> Fleet:
        """The fleet that a runbook works on: beside the rehearsal's ledger, each run has its own."""
        return cls(Path(os.environ.get(ledger.FILE, tempfile.gettempdir() + "/ledger.jsonl")).parent)

    @property
    def versions(self) -> dict[str, int]:
        """The version of each cluster."""
        if not self._file.exists():
            return dict.fromkeys(CLUSTERS, 4)
        found: dict[str, int] = json.loads(self._file.read_text())
        return found

    def install(self, cluster: str, version: int) -> None:
        """Have a cluster run a version."""
        aside = self._file.with_suffix(f".{os.getpid()}")
        aside.write_text(json.dumps({**self.versions, cluster: version}))
        aside.replace(self._file)
