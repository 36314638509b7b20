"""Huge pages for the memory of a process that forks.

A fork copies an entry for each page: 512 times fewer. Of a huge page that a child writes to, the kernel copies the
small page only.
"""

from __future__ import annotations

import contextlib
import ctypes
import re
from pathlib import Path

SIZE = 1 << 21
MADV_COLLAPSE = 25
PRIVATE_MEMORY = re.compile(r"([0-9a-f]+)-([0-9a-f]+) rw-p [0-9a-f]+ [0-9a-f:]+ 0 *(?:\[heap\])?\n")


def use() -> None:
    """Move what this process has to huge pages, where Linux has them (since 6.1); else it stays as it is."""
    with contextlib.suppress(OSError, AttributeError):
        advise = ctypes.CDLL(None).madvise
        for found in PRIVATE_MEMORY.finditer(Path("/proc/self/maps").read_text()):
            first, last = (int(end, 16) for end in found.groups())
            for start in range(-(-first // SIZE) * SIZE, last - SIZE + 1, SIZE):
                advise(ctypes.c_void_p(start), ctypes.c_size_t(SIZE), MADV_COLLAPSE)
