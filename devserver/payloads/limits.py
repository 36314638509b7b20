"""Sizes as users write and read them, and the limits of one payload and of the whole folder."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from ..config import sizes
from ..errors import OptionError
from .errors import PayloadFolderFull, PayloadOptionError, PayloadTooLarge

MAX_PAYLOAD_SIZE = "1GB"
MAX_FOLDER_SIZE = "20GB"
# From this size on a payload is written and read without the SDK's copies.
LARGE = 4_000_000
# Workflow code that runs for 2 s counts as deadlocked: hashing a larger payload is left to the driver's threads.
LARGE_FOR_A_WORKFLOW = 500_000_000
MEASURE_SECONDS = 60.0

format_size = sizes.format_size


def parse_size(size: int | str, name: str) -> int:
    """A size in bytes: see `sizes.parse_size`.

    Raises:
        PayloadOptionError: The size is invalid or negative; the message has the `name` of the option.
    """
    try:
        return sizes.parse_size(size, name)
    except OptionError as error:
        raise PayloadOptionError(error.message, hint=error.hint) from None


def too_large(size: int, limit: int, owner: str = "") -> PayloadTooLarge:
    """The error for a payload above the limit for one payload."""
    return PayloadTooLarge(
        f"a payload of {format_size(size)} is larger than the limit of {format_size(limit)}",
        details=[f"for {owner}"] if owner else [],
        hint="pass less data, or a link to it; the limit is LargePayloads(max_payload_size=...)",
    )


class FolderQuota:
    """The limit of a folder of blobs.

    Other processes store blobs in the folder too. It is measured for the first blob, then once a minute, and before a
    blob is refused; in between only the blobs of this process are counted.

    Args:
        folder: The folder, for errors.
        limit: The limit in bytes.
        measure: Returns how many bytes the folder holds.
    """

    def __init__(self, folder: Path, limit: int, measure: Callable[[], int]) -> None:
        self._folder, self._limit, self._measure = folder, limit, measure
        self._lock = threading.Lock()
        self._used, self._measured_at = 0, -MEASURE_SECONDS

    def reserve(self, size: int) -> None:
        """Count a blob of `size` bytes that is about to be written.

        Raises:
            PayloadFolderFull: The folder would hold more than its limit.
        """
        with self._lock:
            if time.monotonic() - self._measured_at > MEASURE_SECONDS or self._used + size > self._limit:
                self._used, self._measured_at = self._measure(), time.monotonic()
            if self._used + size > self._limit:
                raise PayloadFolderFull(
                    f"the payload folder {self._folder} holds {format_size(self._used)}: {format_size(size)} more "
                    f"would exceed its limit of {format_size(self._limit)}",
                    hint="run devserver payloads prune, or raise the limit: LargePayloads(max_folder_size=...)",
                )
            self._used += size
