"""A home of its own for each kind of round: nothing of the user's is used, and every process in it is known."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from devserver.executables.models import Executable
from devserver.instances import ephemeral_database
from devserver.system.files import private_folder
from devserver.system.paths import HOME_VARIABLE, Paths

OWN = ("DEVSERVER_", "TEMPORAL_", "XDG_", "PYTEST_")


@dataclass(frozen=True)
class Home:
    """The folder that is HOME for the processes of a kind."""

    folder: Path

    @classmethod
    def create(cls, folder: Path, executable: Executable | None, runs: Path | None = None) -> Home:
        """A new home. Its store has links to the executable (a copy is 156 MB); `runs` is another path to run it by."""
        home = cls(private_folder(folder))
        private_folder(home.temporary)
        if executable is not None:
            store = private_folder(home.paths.store / executable.path.parent.name)
            for file in executable.path.parent.iterdir():
                (store / file.name).symlink_to((runs if file == executable.path else None) or file)
        return home

    @property
    def paths(self) -> Paths:
        """Where devserver keeps its files in this home."""
        return Paths.default(self.environ)

    @property
    def temporary(self) -> Path:
        """The folder of temporary files."""
        return self.folder / "tmp"

    @property
    def environ(self) -> dict[str, str]:
        """The environment of processes in this home."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(OWN)}
        kept.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package has its bytecode
        return {
            **kept,
            "HOME": str(self.folder),
            HOME_VARIABLE: str(self.folder / "devserver"),
            "TMPDIR": str(self.temporary),
            "GOGC": "800",  # a fifth of the CPU time of a server that lives for a second is its garbage collector's
        }

    def begin(self, *words: str, log: Path, cwd: Path | None = None) -> subprocess.Popen[bytes]:
        """Start a command in this home; what it prints goes to `log`."""
        with log.open("ab") as output:
            return subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=self.environ, cwd=cwd or self.folder
            )

    def devserver(self, *args: str, log: Path, cwd: Path | None = None) -> subprocess.Popen[bytes]:
        """Start a `devserver` command."""
        return self.begin(sys.executable, "-m", "devserver", *args, log=log, cwd=cwd)

    def processes(self) -> list[psutil.Process]:
        """The living processes of this home."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if process.environ().get("HOME") == str(self.folder) and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def ephemeral_folders(self) -> Iterator[Path]:
        """The folders of ephemeral databases of this home, in memory and elsewhere."""
        for folders in ephemeral_database.existing_folders(self.paths.instances).values():
            yield from folders
        yield from self.temporary.glob(f"{ephemeral_database.PREFIX}*")

    def end_processes(self) -> None:
        """Kill every process of this home."""
        left = self.processes()
        while left:
            for process in left:
                with contextlib.suppress(psutil.Error):
                    process.kill()
            psutil.wait_procs(left, timeout=10)
            left = self.processes()

    def close(self, *, keep: bool = False) -> None:
        """End what runs in this home, and remove it unless it is kept as evidence."""
        self.end_processes()
        for folder in list(self.ephemeral_folders()):
            shutil.rmtree(folder, ignore_errors=True)
        if not keep:
            shutil.rmtree(self.folder, ignore_errors=True)
