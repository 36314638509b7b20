"""kill -9 of `devserver snapshot save` and `snapshot restore`, on a server under load."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from devserver.database import snapshots
from devserver.database.catalog import UNFINISHED
from devserver.database.retention import BEFORE_RESTORE
from devserver.database.sqlite import connect, integrity
from devserver.system.files import sha256_of

from .. import checks
from ..load import LIMIT
from ..rounds import Round
from .loaded import Loaded

POINT = "point"  # the snapshot that is restored, and the workflow that it knows


class SaveKilled(Loaded):
    """kill -9 of `devserver snapshot save`."""

    name = "snapshot-save"
    shown = "`snapshot save`"

    def set_up(self, folder: Path) -> None:
        """Save once."""
        super().set_up(folder)
        self.done(self.save("first", self.log), self.log)  # the first one compiles bytecode
        self.measured(lambda: self.save("second", self.log))

    def save(self, name: str, log: Path) -> subprocess.Popen[bytes]:
        """Begin to save a snapshot."""
        return self.home.devserver("snapshot", "save", name, log=log)

    def round(self, round: Round) -> None:
        """A snapshot that is listed is whole, and has what was acknowledged before it was begun."""
        workflow_id = self.begin(round)
        folder = self.home.paths.snapshots("default")
        number, names = 0, []
        while True:
            number += 1
            before = set(self.load.acknowledged[workflow_id])
            names.append((f"killed-{round.number}-{number}", before))
            if self.kill(round, self.save(names[-1][0], round.log)):
                break
        self.check(round)
        before = set(self.load.acknowledged[workflow_id])
        names.append((f"next-{round.number}", before))
        self.done(self.save(names[-1][0], round.log), round.log)
        listed = {snapshot.name: snapshot for snapshot in snapshots.list_(folder)}
        for name, acknowledged in names:
            if name in listed:
                self._check_snapshot(round, listed[name], acknowledged)
                snapshots.delete(folder, name)
            elif (folder / name).exists() or name.startswith("next"):
                round.report("stale", [f"the snapshot {name} is not whole"])
        self.check_files(round, f"{UNFINISHED}*")
        self.verify(round, workflow_id)

    def _check_snapshot(self, round: Round, snapshot: snapshots.Snapshot, acknowledged: set[str]) -> None:
        if sha256_of(snapshot.database) != snapshot.sha256:
            round.report("stale", [f"the snapshot {snapshot.name} is not what its record says"])
        with connect(snapshot.database, "immutable") as connection:
            round.report("stale", [f"{snapshot.name}: {problem}" for problem in integrity(connection)])
        round.report("lost", checks.missing(acknowledged, checks.words_in(snapshot.database)))


class RestoreKilled(Loaded):
    """kill -9 of `devserver snapshot restore`: the state is the one before or the snapshot's, each as a whole."""

    name = "snapshot-restore"
    shown = "`snapshot restore`"

    def set_up(self, folder: Path) -> None:
        """Save the snapshot with a workflow in it, and restore it once."""
        super().set_up(folder)
        self.load.tell(POINT, at_least=50)
        self.load.stop()
        self.done(self.home.devserver("snapshot", "save", POINT, log=self.log), self.log)
        self.measured(lambda: self.restore(self.log))

    def restore(self, log: Path) -> subprocess.Popen[bytes]:
        """Begin to restore the snapshot."""
        return self.home.devserver("snapshot", "restore", POINT, "--yes", log=log)

    def round(self, round: Round) -> None:
        """Find out which of the two states it is, and that nothing of it is missing."""
        workflow_id = self.begin(round)
        while not self.kill(round, self.restore(round.log)):
            self.load.stop()
            workflow_id = f"{workflow_id}-again"
            self.load.tell(workflow_id, at_least=5)
        self.check(round)
        self.recover(round)
        self._check_files(round)
        self.load.stop()
        acknowledged = self.load.acknowledged[workflow_id]
        round.acknowledged += len(acknowledged) + len(self.load.acknowledged[POINT])
        round.report("lost", self.load.lost(POINT))
        if self.load.exists(workflow_id):
            round.report("lost", self.load.lost(workflow_id))
            self.load.end(workflow_id)
            round.report("lost", self.load.settle(all_of_them=True))
        else:
            round.report("lost", self._missing_before(acknowledged))

    def _missing_before(self, acknowledged: set[str]) -> list[str]:
        """What is not in the state that was replaced, which the restore has put away."""
        folder = self.home.paths.snapshots("default")
        kept = [snapshot for snapshot in snapshots.list_(folder) if snapshot.name.startswith(BEFORE_RESTORE)]
        if not kept:
            return ["the state was replaced, and no snapshot of it was kept"]
        newest = max(kept, key=lambda snapshot: snapshot.folder.stat().st_mtime_ns)
        found = checks.missing(acknowledged, checks.words_in(newest.database))
        return [f"in {newest.name}, {text}" for text in found]

    def _check_files(self, round: Round) -> None:
        """A start does not look for what a restore left beside the database; the next restore does."""
        self.check_files(round)
        deadline = time.monotonic() + LIMIT
        while self.state() != "ready" and time.monotonic() < deadline:
            time.sleep(checks.POLL_SECONDS)

    def settle(self, round: Round) -> None:
        """An unkilled restore leaves no file of the killed ones."""
        self.done(self.restore(round.log), round.log)
        self.check_files(round, "temporal.db.restore-*", f"{UNFINISHED}*")
        self.check(round)
