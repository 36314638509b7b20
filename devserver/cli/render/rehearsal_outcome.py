"""What is printed and written when rehearsals have been held, and the exit code."""

from __future__ import annotations

import contextlib
import json
import signal
from typing import Any

import click

from ...errors import DevServerError
from ...rehearsal import report
from ...rehearsal.report import ReportStatus
from ..options.rehearsal import Outcome, Wanted
from .rehearsal import result_lines

CODES = {"pass": 0, "fail": 1, "unknown": 4}
STOPPED = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM"}


def write_so_far(wanted: Wanted, outcome: Outcome, left: int) -> bool:
    """Write the report of what is held already: if we are killed, it is there. A failure is told at the end."""
    if wanted.report is not None:
        with contextlib.suppress(DevServerError):
            about = ReportStatus(f"{left} more were still to be held")
            report.write_data(report.combined(outcome.results, about), wanted.report)
            return True
    return False


def finish(wanted: Wanted, outcome: Outcome) -> int:
    """Print the verdicts, write what is to be written, and say the exit code.

    A report that cannot be written is told; the verdicts are printed all the same.
    """
    shape = report.combined(outcome.results, _about(outcome))
    if not wanted.as_json:
        _print(shape, outcome)
    problems: list[DevServerError] = []
    page = None
    if wanted.report is not None:
        try:
            page = str(report.write_data(shape, wanted.report))
        except DevServerError as error:
            problems.append(error)
    if wanted.junit is not None:
        from .junit import write

        try:
            write(shape, outcome.seconds, wanted.junit)
        except DevServerError as error:
            problems.append(error)
    if wanted.as_json:
        kept = str(outcome.kept) if outcome.kept else None
        click.echo(json.dumps({**shape, "report": page, "kept": kept}, indent=2, ensure_ascii=False))
    else:
        _print_places(wanted, outcome, page, shape)
    return _code(shape, outcome, problems)


def _about(outcome: Outcome) -> ReportStatus:
    if outcome.interrupted is None:
        return ReportStatus()
    return ReportStatus(f"interrupted by {STOPPED.get(signal.Signals(outcome.interrupted), '')}", outcome.not_run)


def _print(shape: dict[str, Any], outcome: Outcome) -> None:
    for result, seconds in zip(shape["results"], outcome.seconds, strict=True):
        for line in result_lines(result, seconds):
            click.echo(line)


def _print_places(wanted: Wanted, outcome: Outcome, page: str | None, shape: dict[str, Any]) -> None:
    counts = shape["counts"]
    click.echo(f"{counts['pass']} passed, {counts['fail']} failed, {counts['unknown']} unknown")
    if shape["incomplete"]:
        click.echo(f"{shape['incomplete']}: everything is stopped; not held: {', '.join(shape['not_run']) or 'none'}")
    if page:
        click.echo(f"report: {page}" + (" (what there is of it)" if shape["incomplete"] else ""))
    elif wanted.report is None and counts["fail"]:
        click.echo("for a page with the evidence, add: --report DIR")
    if wanted.junit and wanted.junit.exists():
        click.echo(f"junit: {wanted.junit}")
    if outcome.kept:
        click.echo(f"kept: {outcome.kept}")
        for database in sorted(outcome.kept.glob("*/temporal.db"))[:1]:
            click.echo(f"  look at the server's state with: devserver up --db {database}")


def _code(shape: dict[str, Any], outcome: Outcome, problems: list[DevServerError]) -> int:
    from ..main import show

    for error in problems:
        show(error)
    if outcome.interrupted is not None:
        return 128 + outcome.interrupted
    code = CODES[shape["verdict"]]
    return code or (problems[0].exit_code if problems else 0)
