"""The legacy script that adds nodes: it continues where the runbook stopped, starts from the beginning, or fails."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from devserver.rehearsal import ledger

if __name__ == "__main__":
    done = {effect.key for effect in ledger.read(Path(os.environ[ledger.FILE])) if effect.name == "add"}
    if "broken" in sys.argv:
        sys.exit("the script is of last year")
    for node in ("node-1", "node-2", "node-3"):
        if "careless" in sys.argv or node not in done:
            ledger.effect("add", key=node)
