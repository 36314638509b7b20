"""The journal of a running rehearsal, from which a later call reports one that was killed."""

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


def report_killed(paths: Paths) -> None:
    """Report rehearsals that were killed, once; the files of those reported before are removed."""
    if not paths.rehearsals.is_dir():
        return
    for file in sorted(paths.rehearsals.glob(f"*{REPORTED}")):
        _remove(file)
    for file in sorted(paths.rehearsals.glob(f"*{RUNNING}")):
        lines = _lines(file)
        if lines and not ProcessIdentity(lines[0]["pid"], lines[0]["started"]).alive() and _claimed(file):
            _report(lines)


def _lines(file: Path) -> list[dict[str, Any]]:
    """The lines of a journal; the last one may be incomplete."""
    found: list[dict[str, Any]] = []
    with contextlib.suppress(OSError, ValueError):
        for line in file.read_text(errors="replace").splitlines():
            found.append(json.loads(line))  # noqa: PERF401 - those before a broken line count
    return found if found and {"pid", "started", "folder"} <= set(found[0]) else []


def _claimed(file: Path) -> bool:
    """Whether this call reports it: two calls may find the same one."""
    try:
        file.rename(file.with_suffix(REPORTED))
    except OSError:
        return False
    return True


def _remove(file: Path) -> None:
    lines = _lines(file)
    with contextlib.suppress(OSError):
        file.unlink()
    if lines and not lines[0].get("keep"):
        shutil.rmtree(file.with_suffix(""), ignore_errors=True)


def _report(lines: list[dict[str, Any]]) -> None:
    from ...instances.cleanup import tidy

    about = lines[0]
    scenario = next((line["scenario"] for line in reversed(lines) if "scenario" in line), None)
    doing = next((line["doing"] for line in reversed(lines) if "doing" in line), None)
    click.echo(click.style("note: ", fg="cyan") + f"a rehearsal that started at {about['began']} was killed", err=True)
    if scenario:
        click.echo(f"  it was running {scenario!r}" + (f"; its last event: {doing}" if doing else ""), err=True)
    stay = "" if about.get("keep") else " until the next rehearsal"
    click.echo(f"  its ledgers and logs are in {about['folder']}{stay}", err=True)
    written = [line["written"] for line in lines if "written" in line]
    if written:
        click.echo(f"  the report of the {written[-1]} finished ones is in {about['report']}", err=True)
    with contextlib.suppress(DevServerError):
        tidy(Paths.default())
    click.echo("  all its processes are stopped", err=True)
