"""Writes a report into a folder, completely or not at all."""

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
    """The report's folder cannot be written: permissions, a read-only or full disk."""


def write(results: Sequence[Result], folder: Path, about: ReportStatus | None = None) -> Path:
    """Write the report of these results into a folder: see `write_data`."""
    return write_data(data(results, about), folder)


def write_data(shape: Mapping[str, Any], folder: Path) -> Path:
    """Write `report.html` and `report.json` into `folder`, which is created if missing; returns the page's path.

    Both are written to temporary files and renamed: a reader never sees half a report, and an old one stays until then.

    Raises:
        ReportNotWritten: The folder cannot be written; no partial file is left.
    """
    write_texts({JSON_FILE: json_text(shape), HTML_FILE: render(shape)}, folder, "report")
    return folder / HTML_FILE


def json_text(shape: Mapping[str, Any]) -> str:
    """The data of a report as its file has it."""
    return json.dumps(shape, indent=1, ensure_ascii=False) + "\n"


def write_texts(texts: Mapping[str, str], folder: Path, what: str) -> None:
    """Write files into a folder, which is created if missing, all of them or none.

    Raises:
        ReportNotWritten: The folder cannot be written; the message says of `what`.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole({folder / name: text for name, text in texts.items()})
    except OSError as error:
        raise ReportNotWritten(
            f"cannot write the {what} into {folder}: {error.strerror}",
            hint="free disk space, or choose another folder with --report",
        ) from error
