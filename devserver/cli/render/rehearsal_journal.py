"""Reports rehearsals that were killed, from their journals."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path
from typing import Any

import click

from ...errors import DevServerError
from ...rehearsal.journal import REPORTED, journal_lines, journals, last_value, writer_of
from ...system.paths import Paths


def report_killed(paths: Paths) -> None:
    """Report rehearsals that were killed, once; the files of those reported before are removed."""
    for file in journals(paths, REPORTED):
        _remove(file)
    for file in journals(paths):
        lines = journal_lines(file)
        if lines and not writer_of(lines).alive() and _claimed(file):
            _report(lines)


def _claimed(file: Path) -> bool:
    """Whether this call reports it: two calls may find the same one."""
    try:
        file.rename(file.with_suffix(REPORTED))
    except OSError:
        return False
    return True


def _remove(file: Path) -> None:
    lines = journal_lines(file)
    with contextlib.suppress(OSError):
        file.unlink()
    if lines and not lines[0].get("keep"):
        shutil.rmtree(file.with_suffix(""), ignore_errors=True)


def _report(lines: list[dict[str, Any]]) -> None:
    from ...instances.cleanup import tidy

    about = lines[0]
    scenario, doing = last_value(lines, "scenario"), last_value(lines, "doing")
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
