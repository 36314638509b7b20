"""What the store knows of an executable it holds: a small file beside it, and whether it still fits."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from ..system.files import write_private

NAME = "receipt.json"


@dataclass(frozen=True)
class Receipt:
    """An installed executable.

    Attributes:
        version: The CLI's version.
        server_version: The version of the server inside.
        sha256: What its bytes hashed to before it was moved into the store.
        size: In bytes.
        mtime_ns: Its time of change, nanoseconds since the epoch.
        source: Which source it came from.
        origin: Where that source had it from: a path, or an address without credentials.
        accepted: Whether the user accepted the hash instead of the pinned one.
        installed_at: When, in UTC, as ISO 8601.
    """

    version: str
    server_version: str
    sha256: str
    size: int
    mtime_ns: int
    source: str
    origin: str
    accepted: bool
    installed_at: str

    def fits(self, executable: Path) -> bool:
        """Whether the file is there and is, by size and time, the one that was hashed."""
        try:
            info = executable.stat()
        except OSError:
            return False
        return (info.st_size, info.st_mtime_ns) == (self.size, self.mtime_ns)


def read(folder: Path) -> Receipt | None:
    """The receipt in a folder of the store; None where there is none that can be used."""
    try:
        return Receipt(**json.loads((folder / NAME).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def write(folder: Path, receipt: Receipt) -> None:
    """Put a receipt into a folder.

    Raises:
        FolderNotWritable: The disk is full or the folder cannot be written.
    """
    write_private(folder / NAME, json.dumps(asdict(receipt), indent=2) + "\n")
