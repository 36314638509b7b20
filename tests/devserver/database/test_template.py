"""The empty database that others are compared with: made once, and what a killed process left of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from devserver.database.template import NEW, template
from devserver.system.filelocks import LockedFile

from .conftest import SERVER


def test_what_a_killed_process_left_is_removed(tmp_path: Path, real_binary: Path) -> None:
    """Folders of killed processes go; those of a living process, and of one in another container, stay."""
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    left, foreign = (tmp_path / f"{NEW}{ended.pid}-{end}" for end in ("a", "b"))
    living = tmp_path / f"{NEW}{os.getpid()}-a"
    for folder in (left, living, foreign):
        folder.mkdir()
        (folder / "temporal.db").touch()
    held = LockedFile.attempt(foreign / "lock")
    assert held is not None
    with held:
        made = template(tmp_path, real_binary, SERVER, print)
        assert {path for path in tmp_path.iterdir() if path.name != "home"} == {made, living, foreign}
