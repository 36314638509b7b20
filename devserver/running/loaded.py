"""Which of the user's own files this process has imported: a change of one of them matters."""

from __future__ import annotations

import os
import site
import sys
import sysconfig
from pathlib import Path

import devserver

INSTALLED = {"site-packages", "dist-packages"}


def files() -> list[str]:
    """The sources of imported modules (real paths) that are neither Python's, nor installed, nor ours."""
    theirs = _elsewhere()
    found = set()
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and file.endswith(".py"):
            path = os.path.realpath(file)
            if not path.startswith(theirs) and not INSTALLED & set(Path(path).parts):
                found.add(path)
    return sorted(found)


def _elsewhere() -> tuple[str, ...]:
    folders = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    folders |= {str(Path(devserver.__file__).parent), site.getusersitepackages()}
    return tuple(os.path.realpath(each) + os.sep for each in folders)
