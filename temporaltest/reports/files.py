"""Names of files for tests: readable, the same in each run, and unique; and writing a file as a whole."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path


def test_id(nodeid: str) -> str:
    """A test's id, without the group that xdist adds to it with --dist=loadgroup."""
    return re.sub(r"@[^\]/:]*$", "", nodeid)


def file_name(text: str) -> str:
    """A file name for the id of a test or workflow, in which a test's path and parameters stay readable."""
    from devserver.replay import file_name as safe_name

    plain = text.replace("::", "-").replace("/", ".")
    if plain.endswith("]"):
        plain = plain[:-1].replace("[", "-", 1)
    return safe_name(text, plain)


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
