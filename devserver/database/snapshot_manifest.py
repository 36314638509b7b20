"""The head of an exported snapshot: the line that says what the file is, and the manifest."""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from ..config.option_values import check_name as check_instance
from ..errors import OptionError
from .catalog import SnapshotRecord, check_name
from .errors import SnapshotFileDamaged, SnapshotFileTooNew

KIND = b"temporal-devserver snapshot "
FORM = 1
LONGEST_LINE = 64 * 1024
MOST_RATIO = 1100  # of what zlib can compress, 1 to 1032
_HEX = re.compile(r"[0-9a-f]{64}\Z")
_WORD = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+_:-]{0,62}\Z")


@dataclass(frozen=True)
class SnapshotManifest(SnapshotRecord):
    """What the file says about the database in it."""

    def head(self) -> bytes:
        """The first two lines of the file."""
        return KIND + b"%d\n" % FORM + json.dumps(asdict(self)).encode() + b"\n"


def read_manifest(source: IO[bytes], file: Path) -> SnapshotManifest:
    """Read the head of a file that anyone may have made.

    Raises:
        SnapshotFileDamaged: It is no exported snapshot, or its manifest is not valid.
        SnapshotFileTooNew: A newer devserver wrote it.
    """
    kind = source.readline(len(KIND) + 12)
    found = re.fullmatch(re.escape(KIND) + rb"(\d{1,9})\n", kind)
    if found is None:
        found_there = f"it begins with {kind[:16]!r}" if kind else "it is empty"
        raise damaged(file, "it is not a file of `devserver snapshot export`", found_there)
    if int(found[1]) > FORM:
        raise SnapshotFileTooNew(
            f"{file} was written by a newer devserver",
            details=[f"it has form {int(found[1])}, and this devserver reads form {FORM}", "nothing was changed"],
            hint="upgrade devserver, for example: pip install --upgrade temporal-devserver",
        )
    line = source.readline(LONGEST_LINE + 1)
    try:
        data = json.loads(line if line.endswith(b"\n") else b"")
        manifest = SnapshotManifest(**{key: data[key] for key in SnapshotManifest.__dataclass_fields__})
        valid = all(_is_valid(key, value) for key, value in asdict(manifest).items())
    except (ValueError, TypeError, KeyError, RecursionError):
        valid = False
    if not valid:
        raise damaged(file, "its manifest cannot be read")
    packed = os.fstat(source.fileno()).st_size - source.tell()
    if manifest.size > packed * MOST_RATIO:
        raise damaged(file, "it is truncated", f"{packed} bytes cannot hold {manifest.size}")
    return manifest


def _is_valid(key: str, value: Any) -> bool:
    if key == "size":
        return isinstance(value, int) and not isinstance(value, bool) and value > 0
    if key in ("server_version", "cli_version", "instance") and value is None:
        return True
    if not isinstance(value, str):
        return False
    if key in ("name", "instance"):
        try:
            return bool(check_name(value) if key == "name" else check_instance(value))
        except OptionError:
            return False
    return bool((_HEX if key == "sha256" else _WORD).match(value))


def damaged(file: Path, what: str, *details: str) -> SnapshotFileDamaged:
    """The error for a file that cannot be imported."""
    return SnapshotFileDamaged(
        f"cannot import {file}: {what}",
        details=[*details, "nothing was changed"],
        hint="copy the file again, or export the snapshot again",
    )
