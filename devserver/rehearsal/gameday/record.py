"""The folder of a running game day: its record, its lock, its control socket and the log of commands."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from ...cluster import ClusterControl
from ...config.option_values import check_name
from ...errors import DevServerError
from ...instances import stopping
from ...instances.cleanup import tidy
from ...instances.folder import InstanceFolder
from ...system.filelocks import LockedFile
from ...system.files import private_folder, write_private
from ...system.paths import Paths
from ..errors import GameDayRunning, NoGameDay

DEFAULT_NAME = "gameday"
RECORD = "gameday.json"
LOCK = "gameday.lock"


@dataclass(frozen=True)
class GameDayRecord:
    """What other commands need to know of a running game day.

    Attributes:
        name: Its name, which is that of its server, and of its cluster.
        title: The name of the scenario.
        began: When it began, in UTC.
        pid: The process that runs it.
        cluster: Whether it has a cluster.
    """

    name: str
    title: str
    began: str
    pid: int
    cluster: bool


@dataclass(frozen=True)
class GameDayFolder:
    """The folder of the game day `name`, which may not run."""

    paths: Paths
    name: str

    @classmethod
    def running(cls, paths: Paths) -> list[GameDayFolder]:
        """The folders of all game days that run, by name."""
        root = paths.gamedays
        names = sorted(entry.name for entry in root.iterdir() if entry.is_dir()) if root.is_dir() else []
        return [folder for folder in (cls(paths, name) for name in names) if folder.is_running]

    @classmethod
    def find(cls, paths: Paths, name: str | None) -> GameDayFolder:
        """The game day of that name, or the only one that runs.

        Raises:
            NoGameDay: None runs, or several do and none was named.
        """
        found = cls.running(paths)
        if name is not None:
            found = [folder for folder in found if folder.name == name]
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(folder.name for folder in found)
            raise NoGameDay(f"several game days run: {names}", hint="choose one with --name")
        raise NoGameDay(
            "no game day runs" if name is None else f"no game day {name} runs",
            hint="start one: devserver gameday imports",
        )

    @property
    def path(self) -> Path:
        """The folder."""
        return self.paths.gamedays / check_name(self.name)

    @property
    def socket(self) -> Path:
        """The socket on which the game day is asked."""
        return self.path / "control.sock"

    @property
    def commands(self) -> Path:
        """The log of the person's commands."""
        return self.path / "commands.jsonl"

    @property
    def work(self) -> Path:
        """The folder of ledgers and logs."""
        return self.path / "run"

    @property
    def is_running(self) -> bool:
        """Whether a process runs it."""
        return LockedFile.is_held(self.path / LOCK)

    def read(self) -> GameDayRecord | None:
        """Its record; None if there is none that can be read."""
        with contextlib.suppress(OSError, ValueError, TypeError):
            return GameDayRecord(**json.loads((self.path / RECORD).read_text()))
        return None

    @contextlib.contextmanager
    def opened(self, record: GameDayRecord) -> Iterator[bool]:
        """Run a game day here for the time of the block; yields whether one that was killed has been removed.

        At the end nothing is left of it: no folder, no server, no cluster.

        Raises:
            GameDayRunning: A game day, a server or a cluster of this name exists already.
        """
        private_folder(self.path)
        lock = LockedFile.attempt(self.path / LOCK, str(os.getpid()))
        if lock is None:
            raise GameDayRunning(
                f"the game day {self.name} runs already",
                hint=f"end it: devserver gameday end --name {self.name}; or run another one with --name",
            )
        try:
            killed = self.read()
            if killed is not None:
                self._remove(killed)
                private_folder(self.path)
            self._require_free(record)
            write_private(self.path / RECORD, json.dumps(asdict(record)))
            try:
                yield killed is not None
            finally:
                self._remove(record)
        finally:
            lock.release(remove=True)
            with contextlib.suppress(OSError):
                self.path.rmdir()

    def _require_free(self, record: GameDayRecord) -> None:
        """Refuse to take the place of a server or a cluster that somebody else has made."""
        if InstanceFolder(self.paths, self.name).read_record() is not None:
            raise GameDayRunning(
                f"there is a server of the name {self.name} already", hint="choose another name with --name"
            )
        if record.cluster and ClusterControl(self.name, self.paths).folder.path.exists():
            raise GameDayRunning(
                f"there is a cluster of the name {self.name} already", hint="choose another name with --name"
            )

    def _remove(self, record: GameDayRecord) -> None:
        """Remove what a game day leaves: the record of its server, its cluster, its files. Not the lock."""
        with contextlib.suppress(DevServerError):
            tidy(self.paths)
        with contextlib.suppress(DevServerError):
            stopping.forget(InstanceFolder(self.paths, self.name))
        if record.cluster:
            with contextlib.suppress(DevServerError):
                ClusterControl(self.name, self.paths).delete()
        for entry in self.path.iterdir():
            if entry.is_dir():
                shutil.rmtree(entry, ignore_errors=True)
            elif entry.name != LOCK:
                entry.unlink(missing_ok=True)
