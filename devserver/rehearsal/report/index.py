"""An index of many reports: each report, and each scenario over time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ...system.files import write_whole
from ...system.json_form import FORM
from ..trends import streak_start
from .fragments import style, templates
from .stored import ReportUnreadable, named, read_report, shared_names
from .text import clean
from .write import HTML_FILE, JSON_FILE, ReportNotWritten

INDEX_FILE = "index.html"
MOST_REPORTS = 1000
MOST_SHOWN = 24  # runs of one scenario


def index_data(folder: Path) -> dict[str, Any]:
    """The reports below a folder, the oldest first, and the scenarios in them, as plain data.

    Raises:
        ReportUnreadable: The folder is missing, or has no report.
    """
    if not folder.is_dir():
        raise ReportUnreadable(f"there is no folder {folder}", hint="name the folder that has the reports' folders")
    reports, skipped = [], []
    files = sorted(file for file in folder.rglob(JSON_FILE) if file.is_file())  # to read a pipe has no end
    for file in files[:MOST_REPORTS]:
        try:
            reports.append((file.relative_to(folder), read_report(file)))
        except ReportUnreadable as error:
            skipped.append(clean(error.message))
    if len(files) > MOST_REPORTS:
        skipped.append(f"{len(files) - MOST_REPORTS:,} more reports")
    if not reports:
        raise ReportUnreadable(
            f"there is no report in {folder}",
            details=skipped[:20],
            hint="write some with: devserver rehearse --report DIR",
        )
    reports.sort(key=lambda item: (item[1]["created"], item[0]))
    return {
        "form": FORM,
        "reports": [_report(place, report) for place, report in reports],
        "scenarios": _scenarios(reports),
        "skipped": skipped,
    }


def write_index(folder: Path, shape: Mapping[str, Any]) -> Path:
    """Write the page into the folder, whole or not at all; its path.

    Raises:
        ReportNotWritten: The folder cannot be written.
    """
    page = templates().get_template("index.html").render(index=shape, style=style(), most=MOST_SHOWN)
    try:
        write_whole({folder / INDEX_FILE: page})
    except OSError as error:
        raise ReportNotWritten(
            f"cannot write the index into {folder}: {error.strerror}", hint="free disk space, or change its permissions"
        ) from error
    return folder / INDEX_FILE


def _report(place: Path, report: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "path": clean(place.as_posix()),
        "link": _link(place),
        "created": clean(report["created"], 40),
        "verdict": report["verdict"],
        "counts": {
            name: sum(item["verdict"] == name for item in report["results"]) for name in ("pass", "fail", "unknown")
        },
        "incomplete": None if report.get("incomplete") is None else clean(report["incomplete"]),
    }


def _link(place: Path) -> str:
    """The page next to a report's data, relative to the index."""
    return "./" + quote((place.parent / HTML_FILE).as_posix(), safe="/")


def _scenarios(reports: Sequence[tuple[Path, Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """Each scenario with its runs, the oldest first; those that do not pass come first."""
    runs: dict[str, list[dict[str, Any]]] = {}
    shared = shared_names(report for _, report in reports)
    for number, (place, report) in enumerate(reports):
        for position, (key, result) in enumerate(named(report, shared), 1):
            metrics = result.get("metrics") or {}
            run = {
                "report": number,
                "link": f"{_link(place)}#r{position}",
                "created": clean(report["created"], 40),
                "verdict": result["verdict"],
                "seconds": result.get("seconds"),
                "recovery_seconds": metrics.get("recovery_seconds"),
                "unmet": [clean(item["name"]) for item in result["expectations"] if item["verdict"] != "pass"],
            }
            runs.setdefault(key[0], []).append(run)
    found = [_over_time(name, listed) for name, listed in runs.items()]
    return sorted(found, key=lambda scenario: (scenario["verdict"] == "pass", scenario["name"]))


def _over_time(name: str, runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A scenario: since when it has its verdict, and since when each of its expectations is unmet."""
    last = runs[-1]

    def since(holds: Callable[[Mapping[str, Any]], bool]) -> str:
        return str(runs[streak_start(runs, holds)]["created"])

    return {
        "name": clean(name),
        "verdict": last["verdict"],
        "since": since(lambda run: bool(run["verdict"] == last["verdict"])),
        "unmet": [{"name": unmet, "since": since(partial(_has_unmet, unmet))} for unmet in last["unmet"]],
        "runs": runs,
    }


def _has_unmet(name: str, run: Mapping[str, Any]) -> bool:
    return name in run["unmet"]
