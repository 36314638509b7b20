"""The end of `devserver rehearse`: verdicts on stdout, the files that are written, and the exit code."""

from __future__ import annotations

import contextlib
import json
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...errors import DevServerError
from .rehearsal import line_width, result_lines

if TYPE_CHECKING:
    from ...rehearsal.live import LivePage
    from ...rehearsal.report import ReportStatus
    from ..options.rehearsal import RehearsalRequest

CODES = {"pass": 0, "fail": 1, "unknown": 4}
STOPPED = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM"}


@dataclass
class RehearsalOutcome:
    """The results of a call so far, as `report.result_data` makes them, and why it ended early.

    Attributes:
        not_run: The names of the scenarios that did not run.
        interrupted: The signal that ended the call.
        seconds: How long each rehearsal took.
        kept: The folder of their files, if they are kept.
    """

    results: list[dict[str, Any]] = field(default_factory=list)
    not_run: list[str] = field(default_factory=list)
    interrupted: int | None = None
    seconds: list[float] = field(default_factory=list)
    kept: Path | None = None


def write_so_far(request: RehearsalRequest, outcome: RehearsalOutcome, left: int) -> bool:
    """Write the report of the finished rehearsals, in case this process is killed. A failure is reported at the end."""
    from ...rehearsal import report
    from ...rehearsal.report import ReportStatus

    if request.report is not None:
        with contextlib.suppress(DevServerError):
            about = ReportStatus(f"{left} more did not run yet")
            report.write_data(report.combined(outcome.results, about), request.report)
            return True
    return False


def finish(request: RehearsalRequest, outcome: RehearsalOutcome, live: LivePage | None = None) -> int:
    """Print the verdicts, write the files, and return the exit code. The `live` page becomes the report.

    Verdicts are printed also if a file cannot be written.
    """
    from ...rehearsal import report

    shape = report.combined(outcome.results, _about(outcome))
    if not request.as_json:
        for result, seconds in zip(shape["results"], outcome.seconds, strict=True):
            for line in result_lines(result, seconds, line_width()):
                click.echo(line)
    page, errors = _write_files(request, outcome, shape)
    _keep(shape)
    if live is not None:
        live.finish(shape)
    if request.as_json:
        kept = str(outcome.kept) if outcome.kept else None
        click.echo(json.dumps({**shape, "report": page, "kept": kept}, indent=2, ensure_ascii=False))
    else:
        _print_places(request, outcome, page, shape)
    return _code(shape, outcome, errors)


def _write_files(
    request: RehearsalRequest, outcome: RehearsalOutcome, shape: dict[str, Any]
) -> tuple[str | None, list[DevServerError]]:
    """Write all files that were asked for; the path of the page, and what cannot be written."""
    from ...rehearsal import report
    from . import junit, summary

    pages: list[str] = []
    writers: tuple[tuple[Path | None, Callable[[Path], object]], ...] = (
        (request.report, lambda folder: pages.append(str(report.write_data(shape, folder)))),
        (request.junit, lambda file: junit.write(shape, outcome.seconds, file)),
        (request.summary, lambda file: summary.write(summary.of_rehearsals(shape, outcome.seconds), file)),
    )
    errors: list[DevServerError] = []
    for place, write in writers:
        if place is not None:
            try:
                write(place)
            except DevServerError as error:
                errors.append(error)
    return next(iter(pages), None), errors


def _keep(shape: dict[str, Any]) -> None:
    """Keep the report among the past ones. Without room for it, there is none."""
    from ...rehearsal.archive import RehearsalArchive
    from ...system.paths import Paths

    with contextlib.suppress(DevServerError):
        RehearsalArchive(Paths.default()).add(shape)


def _about(outcome: RehearsalOutcome) -> ReportStatus:
    from ...rehearsal.report import ReportStatus

    if outcome.interrupted is None:
        return ReportStatus()
    return ReportStatus(f"interrupted by {STOPPED.get(signal.Signals(outcome.interrupted), '')}", outcome.not_run)


def _print_places(
    request: RehearsalRequest, outcome: RehearsalOutcome, page: str | None, shape: dict[str, Any]
) -> None:
    counts = shape["counts"]
    lines = [f"{counts['pass']} passed, {counts['fail']} failed, {counts['unknown']} unknown"]
    if shape["incomplete"]:
        left = ", ".join(shape["not_run"]) or "none"
        lines.append(f"{shape['incomplete']}: everything is stopped; not run: {left}")
    if page:
        lines.append(f"report: {page}" + (" (of the finished rehearsals)" if shape["incomplete"] else ""))
    elif request.report is None and counts["fail"]:
        lines.append("for a page with the evidence, add: --report DIR")
    if request.junit and request.junit.exists():
        lines.append(f"junit: {request.junit}")
    if outcome.kept:
        lines.append(f"kept: {outcome.kept}")
    for line in lines:  # whole, so that paths can be copied
        click.echo(line)
    for database in sorted(outcome.kept.glob("*/temporal.db"))[:1] if outcome.kept else ():
        click.echo(f"  look at the server's state with: devserver up --db-filename {database}")


def _code(shape: dict[str, Any], outcome: RehearsalOutcome, errors: list[DevServerError]) -> int:
    from ..error_output import show

    for error in errors:
        show(error)
    if outcome.interrupted is not None:
        return 128 + outcome.interrupted
    code = CODES[shape["verdict"]]
    return code or (errors[0].exit_code if errors else 0)
