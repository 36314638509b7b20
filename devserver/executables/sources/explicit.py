"""The source `explicit`: an executable that the user names, run where it lies."""

from __future__ import annotations

import os
from pathlib import Path

from ...errors import BinaryNotFound, NotTemporal, OptionError
from ...system.paths import whole
from ...system.progress import Reporter
from ..models import Goal
from .source import Fetched


class Explicit:
    """The path in the request. It is neither copied nor changed."""

    name = "explicit"
    needs_network = False

    def fetch(self, goal: Goal, work: Path, reporter: Reporter) -> Fetched:
        """The user's file, found to be there and executable."""
        if goal.request.binary is None:
            raise OptionError(
                "the source explicit needs the path of an executable",
                hint="give --binary PATH, DEVSERVER_BINARY, or binary in [tool.devserver] of pyproject.toml",
            )
        path = whole(goal.request.binary)
        if not os.access(path, os.F_OK):
            raise BinaryNotFound(
                f"there is no file {path} that you can reach",
                details=["it was named with --binary, DEVSERVER_BINARY or binary in pyproject.toml"],
                hint="correct the path, or leave it out to use the managed executable",
            )
        if not path.is_file():
            raise NotTemporal(f"{path} is not a file", hint=f"name the executable itself, such as {path / 'temporal'}")
        if not os.access(path, os.R_OK | os.X_OK):
            raise NotTemporal(f"{path} may not be read and executed", hint=f"run: chmod u+rx {path}")
        return Fetched(path, str(path))
