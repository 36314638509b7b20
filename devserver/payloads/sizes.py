"""Sizes as people write and read them."""

from __future__ import annotations

import re

from .errors import PayloadOptionError

_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*\Z")


def parse_size(size: int | str, what: str) -> int:
    """A size in bytes from `65536`, `"64KB"` (1000 each) or `"64KiB"` (1024 each).

    Raises:
        PayloadOptionError: It is none, or below zero; `what` names it.
    """
    if isinstance(size, int) and not isinstance(size, bool) and size >= 0:
        return size
    found = _SIZE.match(size) if isinstance(size, str) else None
    if found is None or found[2].upper() not in _UNITS:
        raise PayloadOptionError(f"{what}: {size!r} is no size", hint='as in 65536, "64KB", "2.5 MB" or "1GiB"')
    return int(float(found[1]) * _UNITS[found[2].upper()])


def show_size(size: int) -> str:
    """A size in a few characters: `812 B`, `64.0 kB`, `200.0 MB`."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size} B"
