"""The empty database that others are compared with: made once, and what a killed process left of it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from devserver.database import template as template_module
from devserver.database.template import NEW, template
from devserver.system.filelocks import LockedFile

from .conftest import SERVER


def test_what_a_killed_process_left_is_removed(tmp_path: Path, quick_executable: Path) -> None:
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
        made = template(tmp_path, quick_executable, SERVER, print)
        assert {path for path in tmp_path.iterdir() if path.name != "home"} == {made, living, foreign}


def test_another_server_has_the_port(tmp_path: Path, quick_executable: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that another process answers is not taken for the new server's: the database is made with other ports."""
    command, taken = template_module._command, list[int]()
    with ExitStack() as listeners:

        def take_the_port(executable: Path, db: Path, ports: list[int]) -> list[str]:
            if not taken:
                listener = listeners.enter_context(socket.socket())
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind(("127.0.0.1", ports[0]))
                listener.listen()
            taken.append(ports[0])
            return command(executable, db, ports)

        monkeypatch.setattr(template_module, "_command", take_the_port)
        made = template(tmp_path, quick_executable, SERVER, print)
    assert made.is_file()
    assert len(taken) == 2
