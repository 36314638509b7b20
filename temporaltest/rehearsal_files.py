"""Which files have rehearsals: asked of every file of a run, so what collects them is imported when one has some."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

    from .rehearsals import RehearsalFile

FILES = "temporal_rehearsal_files"
DEFAULT_FILES = ("rehearsal_*.py", "*_rehearsal.py")


def add_option(parser: pytest.Parser) -> None:
    """Declare the option for collected files."""
    about = f"patterns of files whose scenarios are collected as tests [{' '.join(DEFAULT_FILES)}]"
    parser.addini(FILES, about, type="args", default=list(DEFAULT_FILES))


def collect(path: Path, parent: pytest.Collector) -> RehearsalFile | None:
    """The collector of a file with scenarios; None for other files."""
    if path.suffix != ".py" or not any(fnmatch(path.name, item) for item in parent.config.getini(FILES)):
        return None
    from .rehearsals import RehearsalFile

    file: RehearsalFile = RehearsalFile.from_parent(parent, path=path)
    return file
