"""kill -9 of the upgrade of an older database file: of the command alone, or of all its processes."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from pathlib import Path

import psutil

from devserver.database.sqlite import connect, integrity
from devserver.database.upgrade import UPGRADE
from devserver.instances.folder import InstanceFolder
from tests.devserver.database.servers import WAL, running
from tests.helpers.old_binaries import fetch

from .. import checks
from ..load import Load
from ..rounds import Round
from .loaded import Loaded

VERSION = "1.5.1"
NAME = "upgraded"
WORKFLOW = "old"
WORDS = 100
ALL_SHARE = 0.7  # of the rounds: supervisor and server are killed together with the command
WITHOUT_TEMPLATE_SHARE = 0.3  # of the rounds: the schema of the new server is not in the cache


class UpgradeKilled(Loaded):
    """kill -9 of `devserver up -d` while it upgrades a database, beside a server under load."""

    name = "upgrade"
    shown = "upgrade of a database"

    def set_up(self, folder: Path) -> None:
        """Make an old file on the old server, and upgrade a copy of it once."""
        super().set_up(folder)
        old = self.workshop.folder / "old-binaries" / VERSION / "temporal"
        if not old.exists():
            fetch(VERSION, old)
        self.old = self.home.folder / "old"
        self.old.mkdir(mode=0o700)
        with running(old, self.old / "temporal.db", *WAL) as server:
            load = Load(self.workshop.loop, server.address, works=False)
            load.tell(WORKFLOW, at_least=WORDS)
            load.stop()
            server.kill()
            self.words = load.acknowledged[WORKFLOW]
            load.close()
        self._copy()
        self.measured(lambda: self.upgrade(self.log))
        self._end()

    @property
    def database(self) -> Path:
        """The copy that is upgraded."""
        return self.home.folder / "copy" / "temporal.db"

    @property
    def upgraded(self) -> InstanceFolder:
        """The instance that runs on it."""
        return InstanceFolder(self.home.paths, NAME)

    def upgrade(self, log: Path) -> subprocess.Popen[bytes]:
        """Begin the start that upgrades."""
        words = ("up", "-d", "--no-ui", "--port", "0", "--name", NAME, "--db-filename", str(self.database))
        return self.home.devserver(*words, log=log)

    def round(self, round: Round) -> None:
        """Old or new, the file is whole, and the next start has everything that the old server acknowledged."""
        workflow_id = self.begin(round)
        kill_all = round.dice.random() < ALL_SHARE
        if round.dice.random() < WITHOUT_TEMPLATE_SHARE:
            shutil.rmtree(self.home.paths.schemas, ignore_errors=True)
        while True:
            self._copy()
            if self.kill(round, self.upgrade(round.log), self._kill_all if kill_all else _nothing):
                break
            self._end()
        self.check(round)
        self.done(self.upgrade(round.log), round.log)
        round.report("stale", checks.still_stale(self.home))
        self.check_files(round, f"*.{UPGRADE}-*", ".new-*")
        self._check_copy(round)
        self._check_backups(round)
        self._end()
        self.verify(round, workflow_id)

    def _check_copy(self, round: Round) -> None:
        """The workflow of the old server has all its words, and completes on the new one."""
        load = Load(self.workshop.loop, self.upgraded.require_record().address)
        load.acknowledged[WORKFLOW] = self.words
        round.acknowledged += len(self.words)
        round.report("lost", load.lost(WORKFLOW))
        load.end(WORKFLOW)
        round.report("lost", load.settle(all_of_them=True))
        load.close()

    def _check_backups(self, round: Round) -> None:
        """Every backup is whole, also those that killed upgrades have begun."""
        for path in sorted(self.home.paths.backups(NAME).glob("*.db")):
            with contextlib.suppress(Exception), connect(path, "immutable") as connection:
                if not integrity(connection) and not checks.missing(self.words, checks.words_in(path)):
                    continue
            round.report("stale", [f"the backup {path.name} ({path.stat().st_size} bytes) is not whole"])
            path.unlink()  # reported once

    def _copy(self) -> None:
        shutil.rmtree(self.database.parent, ignore_errors=True)
        shutil.copytree(self.old, self.database.parent)

    def _kill_all(self) -> None:
        for process in self.home.processes():
            with contextlib.suppress(psutil.Error):
                if str(self.database) in " ".join(process.cmdline()):
                    process.kill()

    def _end(self) -> None:
        """End the instance without ceremony: this is no kill that is counted."""
        record = self.upgraded.require_record()
        record.supervisor.kill()
        if record.server is not None:
            record.server.wait_gone(checks.PATIENCE)


def _nothing() -> None:
    pass
