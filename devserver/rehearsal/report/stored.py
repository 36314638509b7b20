"""Reads reports that were written before, by this machine or another."""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Iterator, Mapping
from pathlib import Path, PurePath
from typing import Any

from ...system.json_form import FORM
from ..errors import RehearsalError
from .text import VERDICTS
from .write import HTML_FILE, JSON_FILE

MOST_BYTES = 200_000_000
MOST_SECONDS = 1e12
HINT = "name a folder that `devserver rehearse --report` wrote, or its report.json"


class ReportUnreadable(RehearsalError):
    """A file is not a report of a rehearsal, or it cannot be read."""

    exit_code = 2


def read_report(place: Path) -> dict[str, Any]:
    """The data of a report: of its folder, its report.json or its page.

    Raises:
        ReportUnreadable: It is missing, not JSON, or of another form.
    """
    file = place / JSON_FILE if place.is_dir() else place.with_name(JSON_FILE) if place.name == HTML_FILE else place
    try:
        if file.stat().st_size > MOST_BYTES:
            raise ReportUnreadable(f"{file} is too large for a report", hint=HINT)
        shape = json.loads(file.read_text("utf-8"))
    except OSError as error:
        raise ReportUnreadable(f"cannot read the report {file}: {error.strerror}", hint=HINT) from error
    except (ValueError, RecursionError):
        raise ReportUnreadable(f"{file} is not JSON", hint=HINT) from None
    problem = _problem(shape)
    if problem is not None:
        raise ReportUnreadable(f"{file} is not a report of a rehearsal: {problem}", hint=HINT)
    found: dict[str, Any] = shape
    return found


def shared_names(reports: Iterable[Mapping[str, Any]]) -> set[str]:
    """The names that scenarios of several files have in one report."""
    shared: set[str] = set()
    for report in reports:
        files: dict[str, set[str]] = {}
        for result in report["results"]:
            files.setdefault(result["name"], set()).add(_file(result))
        shared |= {name for name, of in files.items() if len(of) > 1}
    return shared


def named(report: Mapping[str, Any], shared: Container[str]) -> Iterator[tuple[tuple[str, int], dict[str, Any]]]:
    """The results with their keys: the scenario's name (with its file, if it is shared), and its turn of that name."""
    seen: dict[str, int] = {}
    for result in report["results"]:
        name = f"{result['name']} ({_file(result)})" if result["name"] in shared else result["name"]
        seen[name] = seen.get(name, 0) + 1
        yield (name, seen[name]), result


def is_figure(value: object) -> bool:
    """Whether it is none, or a number that seconds can have: JSON has Infinity, NaN and 1e999 too."""
    return value is None or (isinstance(value, (int, float)) and abs(value) < MOST_SECONDS)


def _file(result: Mapping[str, Any]) -> str:
    """The file's name without its folder, which is another one on another machine."""
    return PurePath(str(result.get("file") or "")).name


def _problem(shape: object) -> str | None:
    """What a report has to have and this has not."""
    if not isinstance(shape, dict) or "results" not in shape:
        return "it has no results"
    if shape.get("form") != FORM:
        return f"its form is {shape.get('form')!r}, not {FORM}"
    if not isinstance(shape["results"], list) or not all(map(_is_result, shape["results"])):
        return "its results are incomplete"
    if not _is_verdict(shape.get("verdict")) or not isinstance(shape.get("created"), str):
        return "it has no verdict"
    return None


def _is_result(result: object) -> bool:
    return (
        isinstance(result, dict)
        and isinstance(result.get("name"), str)
        and _is_verdict(result.get("verdict"))
        and isinstance(result.get("expectations"), list)
        and all(_is_expectation(item) for item in result["expectations"])
        and (result.get("metrics") is None or isinstance(result["metrics"], dict))
        and is_figure(result.get("seconds"))
        and is_figure((result.get("metrics") or {}).get("recovery_seconds"))
    )


def _is_expectation(item: object) -> bool:
    return isinstance(item, dict) and isinstance(item.get("name"), str) and _is_verdict(item.get("verdict"))


def _is_verdict(value: object) -> bool:
    return isinstance(value, str) and value in VERDICTS
