"""Sizes as people write and read them."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from pathlib import Path

from .errors import PayloadFolderFull, PayloadOptionError, PayloadTooLarge

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


def format_size(size: int) -> str:
    """A size in a few characters: `812 B`, `64.0 kB`, `200.0 MB`."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size} B"


LARGEST = "1GB"


MOST = "20GB"


LARGE = 4_000_000


# A workflow that computes for 2 s counts as deadlocked, so what takes long to hash is left to the driver's threads.
LARGE_FOR_A_WORKFLOW = 500_000_000


def too_large(size: int, largest: int, owner: str = "") -> PayloadTooLarge:
    """The error for a payload above the limit."""
    return PayloadTooLarge(
        f"a payload of {format_size(size)} is larger than the {format_size(largest)} that one may have",
        details=[f"for {owner}"] if owner else [],
        hint="pass less, or where to find it; the limit is LargePayloads(largest=...)",
    )


LOOK_AGAIN_SECONDS = 60.0


class FolderQuota:
    """Refuses what would pass the limit.

    Other processes store in the folder too. It is measured at the first payload, again after a minute, and before
    anything is refused; in between this process counts its own.

    Args:
        folder: What an error names.
        most: The limit in bytes.
        measure: How many bytes are there now.
    """

    def __init__(self, folder: Path, most: int, measure: Callable[[], int]) -> None:
        self._folder, self._most, self._measure = folder, most, measure
        self._lock = threading.Lock()
        self._held, self._at = 0, -LOOK_AGAIN_SECONDS

    def take(self, size: int) -> None:
        """Note that a payload of `size` bytes is about to be written.

        Raises:
            PayloadFolderFull: With it the folder would hold more than it may.
        """
        with self._lock:
            if time.monotonic() - self._at > LOOK_AGAIN_SECONDS or self._held + size > self._most:
                self._held, self._at = self._measure(), time.monotonic()
            if self._held + size > self._most:
                raise PayloadFolderFull(
                    f"the payload folder {self._folder} holds {format_size(self._held)}: "
                    f"{format_size(size)} more would pass its limit of {format_size(self._most)}",
                    hint="run: devserver payloads prune, or raise the limit: LargePayloads(most=...)",
                )
            self._held += size
