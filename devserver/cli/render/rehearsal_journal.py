"""The journal of a rehearsal that is being held: what a later call says of one that was killed."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import click

from ...errors import DevServerError
from ...system.files import private_folder, write_private
from ...system.paths import Paths
from ...system.process import ProcessIdentity
from ...system.timefmt import utc_for_names

HELD = ".jsonl"
TOLD = ".told"


class Journal:
    """Ours: one line for who we are, then one for each thing that we do. It is removed when we end by ourselves."""

    def __init__(self, file: Path, folder: Path) -> None:
        self._file = file
        self.folder = folder

    @classmethod
    @contextlib.contextmanager
    def of(cls, paths: Paths, report: Path | None, *, keep: bool) -> Iterator[Journal]:
        """Keep one for the time of the block; with `keep` the folder of its files stays.

        Raises:
            FolderNotWritable: The state folder is full or cannot be written.
        """
        home = private_folder(paths.rehearsals)
        name = f"{utc_for_names()}-{os.getpid()}"
        journal = cls(home / f"{name}{HELD}", private_folder(home / name))
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

    def note(self, **what: Any) -> None:
        """Add what we do now. A full disk is no reason to stop."""
        with contextlib.suppress(OSError), self._file.open("a") as file:
            file.write(json.dumps(what) + "\n")


def tell_of_dead(paths: Paths) -> None:
    """Say what rehearsals were killed, once; the files of those that were told before are removed."""
    if not paths.rehearsals.is_dir():
        return
    for file in sorted(paths.rehearsals.glob(f"*{TOLD}")):
        _forget(file)
    for file in sorted(paths.rehearsals.glob(f"*{HELD}")):
        lines = _lines(file)
        if lines and not ProcessIdentity(lines[0]["pid"], lines[0]["started"]).alive() and _claimed(file):
            _tell(lines)


def _lines(file: Path) -> list[dict[str, Any]]:
    """What a journal holds; the last line may be half a line."""
    found: list[dict[str, Any]] = []
    with contextlib.suppress(OSError, ValueError):
        for line in file.read_text(errors="replace").splitlines():
            found.append(json.loads(line))  # noqa: PERF401 - those before a broken line count
    return found if found and {"pid", "started", "folder"} <= set(found[0]) else []


def _claimed(file: Path) -> bool:
    """Whether it is we who tell of it: two calls may find the same one."""
    try:
        file.rename(file.with_suffix(TOLD))
    except OSError:
        return False
    return True


def _forget(file: Path) -> None:
    lines = _lines(file)
    with contextlib.suppress(OSError):
        file.unlink()
    if lines and not lines[0].get("keep"):
        shutil.rmtree(file.with_suffix(""), ignore_errors=True)


def _tell(lines: list[dict[str, Any]]) -> None:
    from ...instances.cleanup import tidy

    about = lines[0]
    scenario = next((each["scenario"] for each in reversed(lines) if "scenario" in each), None)
    doing = next((each["doing"] for each in reversed(lines) if "doing" in each), None)
    click.echo(click.style("note: ", fg="cyan") + f"a rehearsal that began at {about['began']} was killed", err=True)
    if scenario:
        click.echo(f"  it held {scenario!r}" + (f"; the last that happened: {doing}" if doing else ""), err=True)
    stay = "" if about.get("keep") else " until the next rehearsal"
    click.echo(f"  its ledgers and logs are in {about['folder']}{stay}", err=True)
    written = [each["written"] for each in lines if "written" in each]
    if written:
        click.echo(f"  the report of the {written[-1]} it had finished is in {about['report']}", err=True)
    with contextlib.suppress(DevServerError):
        tidy(Paths.default())
    click.echo("  nothing of it runs any more", err=True)
