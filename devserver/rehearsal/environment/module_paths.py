"""Imports modules from the folder of the current scenario: other scenarios may have modules of the same names."""

from __future__ import annotations

import importlib
import sys
import zlib
from pathlib import Path
from types import ModuleType

PREFIX = "rehearsal_"


def name_in(file: Path) -> str:
    """The module name of a scenario's file. Its prefix marks the folders that scenarios were loaded from."""
    return f"{PREFIX}{file.stem}_{zlib.crc32(bytes(file.parent)):08x}"


def go_home(folder: Path) -> None:
    """Import modules from this folder first, and forget modules of the same names from other scenarios' folders.

    `folder` is absolute.
    """
    path = str(folder)
    if path in sys.path:
        sys.path.remove(path)
    sys.path.insert(0, path)
    files = (_file(module) for name, module in list(sys.modules.items()) if name.startswith(PREFIX))
    others = {file.parent for file in files if file is not None} - {folder}
    for name in list(sys.modules):
        top = name.partition(".")[0]
        if _home(sys.modules.get(top)) in others and _has(folder, top):
            del sys.modules[name]
    importlib.invalidate_caches()


def _home(module: ModuleType | None) -> Path | None:
    """The folder that a module was imported from; for a package, the folder that contains it."""
    file = _file(module)
    if file is None:
        return None
    return file.parent.parent if file.name == "__init__.py" else file.parent


def _has(folder: Path, name: str) -> bool:
    return (folder / f"{name}.py").is_file() or (folder / name / "__init__.py").is_file()


def _file(module: ModuleType | None) -> Path | None:
    file = getattr(module, "__file__", None)
    return Path(file) if file else None
