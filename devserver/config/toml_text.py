"""TOML: its content, and the line of a key.

The parser reports no lines, so parts of the file are parsed until the key is there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

MOST_CANDIDATES = 40
MOST_LINES = 400  # of one value


def loads(text: str) -> dict[str, Any]:
    """The content of TOML; a ValueError, or a RecursionError, if it is malformed."""
    import importlib
    import sys

    toml = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    content: dict[str, Any] = toml.loads(text)
    return content


def line_of(text: str, path: Sequence[str]) -> int | None:
    """The line on which the value at `path` begins, or else that of the nearest table above it.

    Args:
        text: A valid TOML file.
        path: The keys that lead to the value.

    Returns:
        The line, from 1; None if it cannot be found.
    """
    lines = text.replace("\r\n", "\n").split("\n")
    for length in range(len(path), 0, -1):
        for candidate in _candidates(lines, path[length - 1]):
            if _begins(lines, candidate, path[:length]):
                return candidate + 1
    return None


def _candidates(lines: Sequence[str], key: str) -> Iterator[int]:
    """The lines where a key of that name may be set."""
    pattern = re.compile(rf"(?<![\w-])[\"']?{re.escape(key)}[\"']?\s*[=.\]]")
    found = (number for number, line in enumerate(lines) if pattern.search(line))
    for _, number in zip(range(MOST_CANDIDATES), found, strict=False):
        yield number


def _begins(lines: Sequence[str], number: int, path: Sequence[str]) -> bool:
    """Whether the value at `path` is there once the statement of this line is, and not before."""
    before = _parsed(lines[:number])
    if before is None or _has(before, path):
        return False
    for end in range(number + 1, min(number + MOST_LINES, len(lines)) + 1):
        content = _parsed(lines[:end])
        if content is not None:
            return _has(content, path)
    return False


def _parsed(lines: Sequence[str]) -> dict[str, Any] | None:
    try:
        return loads("\n".join(lines))
    except (ValueError, RecursionError):
        return None


def _has(content: Any, path: Sequence[str]) -> bool:
    for key in path:
        if not isinstance(content, dict) or key not in content:
            return False
        content = content[key]
    return True
