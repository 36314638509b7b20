"""The journal of a running rehearsal: others see what it does, and a later call reports one that was killed."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ..system.files import private_folder, write_private
from ..system.paths import Paths
from ..system.process import ProcessIdentity
from ..system.timefmt import utc_for_names

RUNNING = ".jsonl"
REPORTED = ".reported"


class Journal:
    """One line for this process, then one for each event. It is removed when the process ends by itself."""

    def __init__(self, file: Path, folder: Path) -> None:
        self._file = file
        self.folder = folder

    @classmethod
    @contextlib.contextmanager
    def of(cls, paths: Paths, report: Path | None, *, keep: bool) -> Iterator[Journal]:
        """A journal for the time of the block; with `keep` the folder of its files stays.

        Raises:
            FolderNotWritable: The state folder is full or cannot be written.
        """
        home = private_folder(paths.rehearsals)
        name = f"{utc_for_names()}-{os.getpid()}"
        journal = cls(home / f"{name}{RUNNING}", private_folder(home / name))
        about = {
            **asdict(ProcessIdentity.own()),
            "began": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "folder": str(journal.folder),
            "report": str(report) if report else None,
            "keep": keep,
        }
        write_private(journal._file, json.dumps(about) + "\n")
        try:
            yield journal
        finally:
            journal._file.unlink(missing_ok=True)
            if not keep:
                shutil.rmtree(journal.folder, ignore_errors=True)

    def note(self, **event: Any) -> None:
        """Add an event. A full disk does not stop the rehearsal."""
        with contextlib.suppress(OSError), self._file.open("a") as file:
            file.write(json.dumps(event) + "\n")


@dataclass(frozen=True)
class RunningRehearsal:
    """A rehearsal that another process runs now.

    Attributes:
        id: Its name among the journals.
        pid: The process.
        began: When the command began, in UTC.
        scenario: What runs now; None before the first one.
        seed: Its seed.
        doing: Its last event.
        live: The address of its live page, if it has one.
    """

    id: str
    pid: int
    began: str
    scenario: str | None
    seed: int | None
    doing: str | None
    live: str | None


def running_rehearsals(paths: Paths) -> list[RunningRehearsal]:
    """The rehearsals that run now, the oldest first."""
    found = []
    for file in journals(paths):
        lines = journal_lines(file)
        if lines and writer_of(lines).alive():
            found.append(
                RunningRehearsal(
                    id=file.name.removesuffix(RUNNING),
                    pid=lines[0]["pid"],
                    began=lines[0]["began"],
                    scenario=last_value(lines, "scenario"),
                    seed=last_value(lines, "seed"),
                    doing=last_value(lines, "doing"),
                    live=last_value(lines, "live"),
                )
            )
    return found


def journals(paths: Paths, suffix: str = RUNNING) -> list[Path]:
    """The files of all journals, the oldest first."""
    return sorted(paths.rehearsals.glob(f"*{suffix}"))


def journal_lines(file: Path) -> list[dict[str, Any]]:
    """The lines of a journal; the last one may be incomplete."""
    found: list[dict[str, Any]] = []
    with contextlib.suppress(OSError, ValueError):
        for line in file.read_text(errors="replace").splitlines():
            found.append(json.loads(line))  # noqa: PERF401 - those before a broken line count
    return found if found and {"pid", "started", "folder", "began"} <= set(found[0]) else []


def writer_of(lines: list[dict[str, Any]]) -> ProcessIdentity:
    """The process that writes a journal."""
    return ProcessIdentity(lines[0]["pid"], lines[0]["started"])


def last_value(lines: list[dict[str, Any]], key: str) -> Any:
    """The last value of a key; None without any."""
    return next((line[key] for line in reversed(lines) if key in line), None)
