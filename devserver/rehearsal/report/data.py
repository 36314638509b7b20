"""The shape of a report: plain data, which the page shows and JSON holds (docs/json.md describes it)."""

from __future__ import annotations

import platform
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib import metadata
from typing import Any

from ..scenario.result import Point, Result, Sweep
from . import serialization
from .run_data import NO_RUN, run_shape
from .text import NAME_CHARACTERS, clean, summary

FORMAT = 1
WORST = {"pass": 0, "unknown": 1, "fail": 2}
MOST_POINTS_SHOWN = 10


def data(results: Sequence[Result], about: About | None = None) -> dict[str, Any]:
    """The report as plain data: what JSON can hold, of a size that can be read."""
    return assembled([result_data(each) for each in results], about)


def assembled(results: Sequence[Mapping[str, Any]], about: About | None = None) -> dict[str, Any]:
    """The report of results that are plain data already: each is made once, however often a report is written."""
    about = about or About()
    verdicts = [each["verdict"] for each in results]
    return {
        "format": FORMAT,
        "verdict": max(verdicts, key=lambda verdict: WORST[verdict], default="unknown"),
        "made": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "made_with": _made_with(),
        "unfinished": None if about.unfinished is None else clean(about.unfinished),
        "not_held": [clean(name, NAME_CHARACTERS) for name in about.not_held],
        "counts": {verdict: verdicts.count(verdict) for verdict in ("pass", "fail", "unknown")},
        "results": list(results),
    }


def _made_with() -> dict[str, str]:
    versions = {name: metadata.version(name) for name in ("temporal-devserver", "temporalio")}
    return {**versions, "python": platform.python_version()}


def result_data(result: Result) -> dict[str, Any]:
    """One result as plain data."""
    shape = {
        "name": clean(result.name, NAME_CHARACTERS),
        "verdict": result.verdict,
        "reason": clean(result.reason),
        "file": None if result.file is None else clean(result.file),
        "seed": result.seed,
        "again": again(result),
        "versions": {clean(name): clean(version) for name, version in result.versions.items()},
        "expectations": [serialization.finding(each) for each in result.findings],
        **(run_shape(result.run) if result.run else NO_RUN),
        "sweep": _sweep(result.sweep) if result.sweep else None,
    }
    return {**shape, "summary": summary(shape)}


def again(result: Result) -> str:
    """The command line that holds the same rehearsal again, with the same seed."""
    words = ["devserver", "rehearse", result.file or "SCENARIO.py", "--only", result.name, "--seed", str(result.seed)]
    if result.sweep:
        words += ["--sweep", result.sweep.target]
    return shlex.join(clean(word) for word in words)


def _sweep(sweep: Sweep) -> dict[str, Any]:
    """All points; the first of those that did not pass with their runs."""
    points = [_point(each) for each in sweep.points]
    shown: list[Mapping[str, Any]] = []
    for point, each in zip(points, sweep.points, strict=True):
        if each.run is not None and each.verdict != "pass" and len(shown) < MOST_POINTS_SHOWN:
            point["run"] = run_shape(each.run)
            shown.append(point)
    return {
        "target": sweep.target,
        "failed": len(sweep.failed),
        "left_out": [clean(each) for each in sweep.left_out],
        "plain": run_shape(sweep.plain),
        "points": points,
    }


def _point(point: Point) -> dict[str, Any]:
    return {
        "event": point.event,
        "what": clean(point.what, NAME_CHARACTERS),
        "verdict": point.verdict,
        "reason": clean(point.reason),
        "last": point.last,
        "seconds": point.seconds,
        "run": None,
    }


@dataclass(frozen=True)
class About:
    """What a report tells beside its results.

    `unfinished` says why some of it is missing (interrupted), None where it is whole; `not_held` names the scenarios
    that were not reached.
    """

    unfinished: str | None = None
    not_held: Sequence[str] = ()
