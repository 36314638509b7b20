"""How much a folder of blobs may hold in all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from .errors import PayloadFolderFull
from .sizes import show_size

LOOK_AGAIN_SECONDS = 60.0


class Room:
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
                    f"the payload folder {self._folder} holds {show_size(self._held)}: "
                    f"{show_size(size)} more would pass its limit of {show_size(self._most)}",
                    hint="run: devserver payloads prune, or raise the limit: LargePayloads(most=...)",
                )
            self._held += size
