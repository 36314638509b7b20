"""kill -9 of `devserver rehearse`."""

from __future__ import annotations

import subprocess
from pathlib import Path

from ..rounds import Round
from .loaded import Loaded

SCENARIO = Path(__file__).parent.parent / "material" / "soaked_runbook.py"
RUNNING, REPORTED = "*.jsonl", "*.reported"


class RehearseKilled(Loaded):
    """kill -9 of `devserver rehearse`: its server, its network and its workers end."""

    name = "rehearse"
    shown = "`rehearse`"

    def set_up(self, folder: Path) -> None:
        """Run the rehearsal once."""
        super().set_up(folder)
        self.done(self.rehearse(self.log), self.log)  # the first run compiles bytecode
        self.measured(lambda: self.rehearse(self.log))

    def rehearse(self, log: Path, *options: str) -> subprocess.Popen[bytes]:
        """Begin the rehearsal."""
        return self.home.devserver("rehearse", str(SCENARIO), *options, log=log)

    def round(self, round: Round) -> None:
        """Nothing of it is left; a killed rehearsal removes the journal of the one before."""
        workflow_id = self.begin(round)
        while not self.kill(round, self.rehearse(round.log)):
            pass
        self.check(round)
        self.check_files(round)
        self.verify(round, workflow_id)

    def settle(self, round: Round) -> None:
        """A rehearsal passes; the second one has removed the files of all that were killed."""
        for _ in range(2):
            self.done(self.rehearse(round.log), round.log)
        self.check(round)
        left = [path.name for path in self.home.paths.rehearsals.iterdir()]
        round.report("stale", [f"left in the folder of rehearsals: {name}" for name in sorted(left)])
        left = [path.name for path in self.home.temporary.iterdir()]
        round.report("stale", [f"left in the temporary folder: {name}" for name in sorted(left)])
        super().settle(round)
