"""Which of the user's own files this process has imported: a change of one of them matters."""

from __future__ import annotations

import functools
import os
import site
import sys
import sysconfig
from pathlib import Path

import devserver

INSTALLED = {"site-packages", "dist-packages"}


def files() -> list[str]:
    """The sources of imported modules (real paths) that are neither Python's, nor installed, nor ours."""
    named = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    sources = {os.path.realpath(file) for file in named if isinstance(file, str) and file.endswith(".py")}
    return sorted(filter(is_users, sources))


def is_users(file: str) -> bool:
    """Whether a source is neither Python's, nor installed, nor ours."""
    path = os.path.realpath(file)
    return not path.startswith(_elsewhere()) and not INSTALLED & set(Path(path).parts)


@functools.cache
def _elsewhere() -> tuple[str, ...]:
    folders = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    folders |= {str(Path(devserver.__file__).parent), site.getusersitepackages()}
    return tuple(os.path.realpath(each) + os.sep for each in folders)
