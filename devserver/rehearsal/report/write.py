"""Writes a report into a folder: whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...system.files import write_whole
from ..errors import RehearsalError
from ..scenario.result import Result
from .data import ReportStatus, data
from .page import render

HTML_FILE = "report.html"
JSON_FILE = "report.json"


class ReportNotWritten(RehearsalError):
    """The report's folder cannot be written: permissions, a read-only or a full disk."""


def write(results: Sequence[Result], folder: Path, about: ReportStatus | None = None) -> Path:
    """Write the report of these results into a folder: see `write_data`."""
    return write_data(data(results, about), folder)


def write_data(shape: Mapping[str, Any], folder: Path) -> Path:
    """Write `report.html` and `report.json` of a report's data into `folder`, which is made; the page's path.

    Both are written aside and renamed: a reader never sees half of one, and a report that was there stays until then.

    Raises:
        ReportNotWritten: It could not be; nothing half-written is left.
    """
    texts = {JSON_FILE: json.dumps(shape, indent=1, ensure_ascii=False) + "\n", HTML_FILE: render(shape)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole({folder / name: text for name, text in texts.items()})
    except OSError as error:
        raise ReportNotWritten(
            f"the report cannot be written into {folder}: {error.strerror}",
            hint="free some space there, or name another folder with --report",
        ) from error
    return folder / HTML_FILE
