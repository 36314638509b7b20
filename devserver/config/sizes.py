"""Sizes in bytes as people write and read them."""

from __future__ import annotations

import re

from ..errors import OptionError

LARGEST = 10**15

_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*\Z")


def parse_size(size: int | str, name: str) -> int:
    """A size in bytes: from `65536`, `"64KB"` (1000 bytes each) or `"64KiB"` (1024 bytes each).

    Raises:
        OptionError: The size is invalid or negative; the message has the `name` of the option.
    """
    if isinstance(size, int) and not isinstance(size, bool) and size >= 0:
        return size
    match = _SIZE.match(size) if isinstance(size, str) else None
    if match is None or match[2].upper() not in _UNITS:
        raise OptionError(f"{name}: {size!r} is not a size", hint='for example 65536, "64KB", "2.5 MB" or "1GiB"')
    found = float(match[1]) * _UNITS[match[2].upper()]
    if found > LARGEST:
        raise OptionError(f"{name}: {match.string[:40]!r} is too large", hint="the largest size is 1000000 GB")
    return int(found)


def format_size(size: int) -> str:
    """A size in a few characters: `812 B`, `64.0 kB`, `200.0 MB`."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size} B"
