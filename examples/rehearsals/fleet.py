"""A simulated fleet of database clusters in a file: the version of each cluster."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from devserver.rehearsal import ledger

CLUSTERS = [f"cluster-{number:02}" for number in range(1, 21)]


class Fleet:
    """The fleet in a folder; all clusters start with version 4."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "fleet.json"

    @classmethod
    def here(cls) -> Fleet:
        """The fleet of this run, next to the rehearsal's ledger."""
        return cls(Path(os.environ.get(ledger.FILE, tempfile.gettempdir() + "/ledger.jsonl")).parent)

    @property
    def versions(self) -> dict[str, int]:
        """The version of each cluster."""
        if not self._file.exists():
            return dict.fromkeys(CLUSTERS, 4)
        found: dict[str, int] = json.loads(self._file.read_text())
        return found

    def install(self, cluster: str, version: int) -> None:
        """Set the version of a cluster."""
        aside = self._file.with_suffix(f".{os.getpid()}")
        aside.write_text(json.dumps({**self.versions, cluster: version}))
        aside.replace(self._file)
