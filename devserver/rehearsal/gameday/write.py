"""Writes a debrief into a folder, completely or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..report.write import json_text, write_texts
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
        JSON_FILE: json_text(shape),
        MARKDOWN_FILE: markdown(shape),
        HTML_FILE: debrief_html(shape),
    }
    write_texts(texts, folder, "debrief")
    return folder / HTML_FILE
