"""Markdown for a terminal, by rich."""

from __future__ import annotations

import io
import shutil

from rich.console import Console
from rich.markdown import Markdown

MOST_COLUMNS = 100


def formatted(text: str) -> str:
    """Markdown as text for a terminal, with colors, at most 100 columns wide."""
    width = min(shutil.get_terminal_size().columns, MOST_COLUMNS)
    output = io.StringIO()
    console = Console(file=output, width=width, force_terminal=True, legacy_windows=False)
    console.print(Markdown(text, hyperlinks=False, code_theme="ansi_dark"))
    return output.getvalue()
