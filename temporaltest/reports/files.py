"""Names of files for tests: readable, the same in each run, and unique; and writing a file as a whole."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from pathlib import Path

MAX_LENGTH = 120


def test_id(nodeid: str) -> str:
    """A test's id, without the group that xdist adds to it with --dist=loadgroup."""
    return re.sub(r"@[^\]/:]*$", "", nodeid)


def file_name(text: str) -> str:
    """A file name for the id of a test or workflow; with a hash, if characters of the id had to be replaced."""
    plain = text.replace("::", "-").replace("/", ".")
    if plain.endswith("]"):
        plain = plain[:-1].replace("[", "-", 1)
    name = re.sub(r"[^A-Za-z0-9._+-]+", "-", plain).strip("-.")[:MAX_LENGTH]
    return name if name == plain else f"{name or 'x'}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def write(path: Path, text: str) -> None:
    """Write a file as a whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, aside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(aside).chmod(0o644)
        Path(aside).replace(path)
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise
