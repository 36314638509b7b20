"""Writes a debrief into a folder, completely or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...system.files import write_whole
from ..report.write import ReportNotWritten
from .markdown import markdown
from .page import debrief_html

HTML_FILE = "debrief.html"
JSON_FILE = "debrief.json"
MARKDOWN_FILE = "debrief.md"


def write_debrief(shape: Mapping[str, Any], folder: Path) -> Path:
    """Write the page, the Markdown and the data of a debrief into `folder`; returns the page's path.

    Raises:
        ReportNotWritten: The folder cannot be written; no partial file is left.
    """
    texts = {
        JSON_FILE: json.dumps(shape, indent=1, ensure_ascii=False) + "\n",
        MARKDOWN_FILE: markdown(shape),
        HTML_FILE: debrief_html(shape),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole({folder / name: text for name, text in texts.items()})
    except OSError as error:
        raise ReportNotWritten(
            f"cannot write the debrief into {folder}: {error.strerror}",
            hint="free disk space, or choose another folder with --report",
        ) from error
    return folder / HTML_FILE
