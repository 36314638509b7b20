"""The receipt beside each installed executable: what it is, and where it came from.

An executable and its receipt are in a folder of the store that is named after the SHA-256. The receipt also has what
the file's inode was when it was hashed: while that is unchanged, so is the content.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ..errors import FolderNotWritable
from ..system.files import sha256_of, write_private
from .models import Executable
from .versions import pinned_sha256

NAME = "receipt.json"


@dataclass(frozen=True)
class Receipt:
    """An installed executable.

    Attributes:
        version: The CLI's version.
        platform: The platform that it is built for, such as `linux-amd64`.
        server_version: The version of the server inside.
        sha256: Its SHA-256 in hex.
        stamp: What `stamp_of` said of the file when it was hashed.
        source: The name of the source.
        origin: The path, or the URL without credentials, that the source took it from.
        installed_at: The time of the installation in UTC, ISO 8601.
    """

    version: str
    platform: str
    server_version: str
    sha256: str
    stamp: str
    source: str
    origin: str
    installed_at: str

    def executable(self, path: Path) -> Executable:
        """The installed executable, which is at `path`."""
        pinned = self.sha256 == pinned_sha256(self.version, self.platform)
        return Executable(path, self.version, self.server_version, self.sha256, self.source, pinned)


def stamp_of(info: os.stat_result) -> str:
    """Size, times and inode of a file as text. A change of the content always changes it.

    Whoever writes to a file can put its size and modification time back, but not the change time of its inode.
    """
    return f"{info.st_size}|{info.st_mtime_ns}|{info.st_ctime_ns}|{info.st_ino}"


def unchanged(executable: Path, receipt: Receipt) -> bool:
    """Whether the file has the content that its receipt tells.

    It is hashed only where its stamp is another one, for example because the store was copied; the receipt is then
    written again.
    """
    try:
        stamp = stamp_of(executable.stat())
        if stamp == receipt.stamp:
            return True
        if sha256_of(executable) != receipt.sha256:
            return False
    except OSError:
        return False
    with contextlib.suppress(FolderNotWritable):  # a read-only store: it is hashed at every start
        write_receipt(executable.parent, replace(receipt, stamp=stamp))
    return True


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
