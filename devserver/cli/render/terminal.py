"""Text on a terminal: its width, wrapped lines, and characters that it can show."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from typing import TYPE_CHECKING, TextIO

from ...system.printable import visible

if TYPE_CHECKING:
    from datetime import datetime

MOST_WIDTH, LEAST_WIDTH = 120, 20


def width_now(least: int = LEAST_WIDTH, most: int = MOST_WIDTH) -> int:
    """The terminal's width in characters, within limits."""
    return max(least, min(most, shutil.get_terminal_size().columns))


def stamp(when: datetime) -> str:
    """ISO 8601 in UTC, to the second."""
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def clean(text: str) -> str:
    """`text` in characters that stdout can show, without control characters: names and messages come from others."""
    safe = visible(text)
    if safe.isascii():
        return safe
    encoding = sys.stdout.encoding or "utf-8"
    return safe.encode(encoding, "backslashreplace").decode(encoding)


def wrapped(text: str, indent: str = "", hanging: str = "", width: int | None = None) -> list[str]:
    """`text` in lines as wide as the terminal. Words stay whole, so that ids can be copied.

    Args:
        indent: What every line begins with.
        hanging: What all lines but the first have after it.
        width: The width of the lines in characters, if it is not the terminal's.
    """
    return textwrap.wrap(
        clean(text),
        max(width or width_now(), len(indent) + len(hanging) + LEAST_WIDTH),
        initial_indent=indent,
        subsequent_indent=indent + hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )


def redraws(stream: TextIO | None = None) -> bool:
    """Whether a stream, stdout by default, is a terminal whose lines can be redrawn."""
    return (stream or sys.stdout).isatty() and os.environ.get("TERM") != "dumb"
