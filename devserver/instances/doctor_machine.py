"""Checks of the machine, of our package in its Python environment, and of the folders. Read-only."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from ..database import CheckResult
from ..errors import DevServerError
from ..system import import_name
from ..system.files import refuse_unsafe
from ..system.paths import Paths

OTHER_HOME = "set DEVSERVER_HOME to a folder of yours that programs can run from"
ENOUGH_SPACE = 1_000_000_000


def machine() -> CheckResult:
    """Whether servers run on this machine."""
    text = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    if sys.platform == "win32":
        return CheckResult("error", "machine", text, "servers run on Linux and macOS; use WSL")
    return CheckResult("ok", "machine", text)


def package() -> Iterator[CheckResult]:
    """Whether another package has modules under our import name."""
    owners = import_name.other_owners()
    if not import_name.is_ours():
        text = f"{', '.join(owners) or 'another package'} has replaced files of {import_name.DISTRIBUTION}"
        yield CheckResult("error", "package", text, import_name.way_out(owners))
    elif owners:
        text = f"{', '.join(owners)} has modules in the package {import_name.PACKAGE}: removing it can remove ours"
        yield CheckResult("warning", "package", text, import_name.way_out(owners))


def folders(paths: Paths) -> Iterator[CheckResult]:
    """Whether our folders can be used."""
    for what, above, path in (
        ("cache", paths.cache, paths.store),
        ("state", paths.state, paths.instances),
        ("data", paths.data, paths.data),
    ):
        try:
            refuse_unsafe(above)
            refuse_unsafe(path)
        except DevServerError as error:
            yield CheckResult("error", what, error.message, error.hint)
            continue
        if not path.exists():
            yield _missing(what, path)
            continue
        free = shutil.disk_usage(path).free
        text = f"{path}, {free / 1e9:.1f} GB free"
        if not os.access(path, os.W_OK):
            yield CheckResult("error", what, f"{path} is not writable", OTHER_HOME)
        elif what == "cache" and _noexec(path):
            yield CheckResult("error", what, f"no program can run from {path}: it is mounted noexec", OTHER_HOME)
        elif free < ENOUGH_SPACE:
            yield CheckResult("warning", what, text, "a server fails when the disk is full; free some space")
        else:
            yield CheckResult("ok", what, text)


def _missing(what: str, path: Path) -> CheckResult:
    """Whether a folder that does not exist can be created."""
    parent = next(folder for folder in path.parents if folder.exists())
    if not parent.is_dir() or not os.access(parent, os.W_OK):
        return CheckResult("error", what, f"{path} cannot be created: {parent} is not writable", OTHER_HOME)
    if what == "cache" and _noexec(parent):
        return CheckResult("error", what, f"no program can run from {path}: {parent} is mounted noexec", OTHER_HOME)
    return CheckResult("ok", what, f"{path} does not exist yet", "it is created when it is needed")


def _noexec(path: Path) -> bool:
    return bool(os.statvfs(path).f_flag & getattr(os, "ST_NOEXEC", 0))
