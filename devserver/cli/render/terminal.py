"""What is written on a terminal: as wide as it is, with nothing that would steer it, and moments in few characters."""

from __future__ import annotations

import shutil
import sys
import unicodedata
from typing import TYPE_CHECKING

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
    """`text` as stdout can show it, without what would steer a terminal: names and messages come from others."""
    if text.isascii() and text.isprintable():  # nearly all that is written
        return text
    safe = "".join("?" if unicodedata.category(each) in ("Cc", "Cf", "Cs") else each for each in text)
    encoding = sys.stdout.encoding or "utf-8"
    return safe.encode(encoding, "backslashreplace").decode(encoding)
