"""The receipt beside each installed executable: what it is, and where it came from."""

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
        sha256: Its SHA-256 when it was installed, in hex.
        size: Its size in bytes.
        mtime_ns: Its modification time in nanoseconds since 1970.
        source: The name of the source.
        origin: The path, or the URL without credentials, that the source took it from.
        accepted: Whether the user accepted the hash instead of the pinned one.
        installed_at: The time of the installation in UTC, ISO 8601.
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
        """Whether the file exists and has the size and modification time of the installed one."""
        try:
            info = executable.stat()
        except OSError:
            return False
        return (info.st_size, info.st_mtime_ns) == (self.size, self.mtime_ns)


def read_receipt(folder: Path) -> Receipt | None:
    """The receipt in a folder of the store; None if there is no valid one."""
    try:
        return Receipt(**json.loads((folder / NAME).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def write_receipt(folder: Path, receipt: Receipt) -> None:
    """Write a receipt into a folder.

    Raises:
        FolderNotWritable: The disk is full or the folder cannot be written.
    """
    write_private(folder / NAME, json.dumps(asdict(receipt), indent=2) + "\n")
