"""The report as plain data, for the page and for JSON (docs/json.md describes the keys)."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib import metadata
from typing import Any

from ...system.json_form import FORM
from ..scenario.result import PointResult, Result, Sweep
from . import serialization
from .again import command_line, scenario_code
from .run_data import NO_RUN, run_data
from .text import NAME_CHARACTERS, SEVERITY, clean, summary

MOST_POINTS_SHOWN = 10


def data(results: Sequence[Result], about: ReportStatus | None = None) -> dict[str, Any]:
    """The report of results as plain data of limited size."""
    return combined([result_data(result) for result in results], about)


def combined(results: Sequence[Mapping[str, Any]], about: ReportStatus | None = None) -> dict[str, Any]:
    """The report of results that are already plain data."""
    about = about or ReportStatus()
    verdicts = [result["verdict"] for result in results]
    return {
        "form": FORM,
        "verdict": max(verdicts, key=lambda verdict: SEVERITY[verdict], default="unknown"),
        "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "created_with": _made_with(),
        "incomplete": None if about.incomplete is None else clean(about.incomplete),
        "not_run": [clean(name, NAME_CHARACTERS) for name in about.not_run],
        "counts": {verdict: verdicts.count(verdict) for verdict in ("pass", "fail", "unknown")},
        "results": list(results),
    }


def _made_with() -> dict[str, str]:
    versions = {name: metadata.version(name) for name in ("temporal-devserver", "temporalio")}
    return {**versions, "python": platform.python_version()}


def result_data(result: Result) -> dict[str, Any]:
    """One result as plain data."""
    command, folder = command_line(result)
    shape = {
        "name": clean(result.name, NAME_CHARACTERS),
        "verdict": result.verdict,
        "reason": clean(result.reason),
        "file": None if result.file is None else clean(result.file),
        "seed": result.seed,
        "command": command,
        "command_folder": folder,
        "code": scenario_code(result),
        "trace": None,
        "kept_server": None,
        "versions": {clean(name): clean(version) for name, version in result.versions.items()},
        "expectations": [serialization.judgement(judgement) for judgement in result.judgements],
        **(run_data(result.run) if result.run else NO_RUN),
        "sweep": _sweep(result.sweep) if result.sweep else None,
    }
    return {**shape, "summary": summary(shape)}


def _sweep(sweep: Sweep) -> dict[str, Any]:
    """All points; the first ones that did not pass include their runs."""
    points = [_point(point) for point in sweep.points]
    shown: list[Mapping[str, Any]] = []
    for point, each in zip(points, sweep.points, strict=True):
        if each.run is not None and each.verdict != "pass" and len(shown) < MOST_POINTS_SHOWN:
            point["run"] = run_data(each.run)
            shown.append(point)
    return {
        "target": sweep.target,
        "failed": len(sweep.failed),
        "omitted": [clean(item) for item in sweep.omitted],
        "baseline": run_data(sweep.plain),
        "points": points,
    }


def _point(point: PointResult) -> dict[str, Any]:
    return {
        "event": point.event,
        "what": clean(point.what, NAME_CHARACTERS),
        "verdict": point.verdict,
        "reason": clean(point.reason),
        "last_event": point.last,
        "seconds": point.seconds,
        "run": None,
    }


@dataclass(frozen=True)
class ReportStatus:
    """Whether a report is complete.

    `incomplete` says why results are missing (None: the report is complete); `not_run` names the scenarios that did not
    run.
    """

    incomplete: str | None = None
    not_run: Sequence[str] = ()
