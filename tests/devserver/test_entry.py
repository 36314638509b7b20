"""What a caller does to a process before it says anything: closed streams, open files, Ctrl-C, other modules."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from devserver.executables.models import Executable
from tests.conftest import CLI_LIMIT, Run, command, processes_of

INTERRUPT = """
import os, signal, sys

class Interrupt:
    left, pid = int(os.environ["INTERRUPT_AT"]), os.getpid()

    def find_spec(self, name, path=None, target=None):
        if "devserver.cli" in sys.modules:  # before that, Python itself answers
            Interrupt.left -= 1
            if Interrupt.left == 0 and os.getpid() == Interrupt.pid:
                os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupt())
"""


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams(installed: Executable, devserver: Run, home: Path, closed: str) -> None:
    """With closed streams a server starts as ever, and what is printed is printed nowhere."""
    for words in (("list",), ("up", "-d", "--port", "0", "--no-ui"), ("status",), ("down",)):
        line = ["sh", "-c", f'exec "$@" {closed}', "sh", *command(*words)]
        done = subprocess.run(line, capture_output=True, text=True, timeout=CLI_LIMIT, check=False)
        assert (done.returncode, "Traceback" in done.stderr) == (0, False), (words, done)
    assert "stopped" in devserver("list").stdout


@pytest.mark.parametrize("words", [("-d",), ("-d", "--ephemeral")])
def test_open_files_of_the_caller(installed: Executable, devserver: Run, home: Path, words: tuple[str, ...]) -> None:
    """Files that the caller left open are not open in the supervisor and the server, whatever their numbers."""
    read, write = os.pipe()
    high = 1000
    os.dup2(write, high, inheritable=True)
    os.set_inheritable(write, True)
    try:
        up = ["up", "--port", "0", "--no-ui", *words]
        subprocess.run(command(*up), timeout=CLI_LIMIT, check=True, close_fds=False, capture_output=True)
        pipe = os.stat(write).st_ino  # noqa: PTH116 - a descriptor
        assert len(processes_of(home)) == 2
        for process in processes_of(home):
            files = [os.stat(file).st_ino for file in Path(f"/proc/{process.pid}/fd").iterdir() if file.exists()]  # noqa: PTH116
            assert pipe not in files, process
    finally:
        for end in (read, write, high):
            os.close(end)
        assert devserver("down").returncode == 0


def test_backports_beside_the_package(installed: Executable, devserver: Run, tmp_path: Path) -> None:
    """A module of site-packages with a name of the standard library does not shadow it in the supervisor."""
    site = tmp_path / "site"
    site.mkdir()
    for name in ("json", "enum", "dataclasses", "signal", "pathlib", "typing"):
        (site / f"{name}.py").write_text(f"raise RuntimeError('{name} of site-packages')\n")
    (site / "devserver").symlink_to(Path(__file__).parents[2] / "devserver")
    code = f"""
import sys
ours = {str(Path(__file__).parents[2])!r}
sys.path[:] = [entry for entry in sys.path if "packages" not in entry and entry not in ("", ours)] + [{str(site)!r}]
sys.path.append({sysconfig.get_path("purelib")!r})
from devserver import DevServer
assert sys.modules["devserver"].__file__.startswith({str(site)!r})
DevServer.start("orders", detach=True, ui=False, ephemeral=True)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=CLI_LIMIT, check=False, cwd=tmp_path
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert devserver("down", "--name", "orders").returncode == 0


@pytest.mark.parametrize("words", [("up", "-d", "--no-ui", "--port", "0"), ("--help",)])
def test_ctrl_c_while_modules_are_imported(
    installed: Executable, devserver: Run, home: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    """Ctrl-C at any import ends the command with 130 and without a traceback, and leaves no process."""
    (tmp_path / "sitecustomize.py").write_text(INTERRUPT)
    codes = []
    for at in range(1, 1000, 12):
        env = {**os.environ, "PYTHONPATH": str(tmp_path), "INTERRUPT_AT": str(at)}
        done = subprocess.run(command(*words), env=env, capture_output=True, text=True, timeout=CLI_LIMIT, check=False)
        codes.append(done.returncode)
        if done.returncode != 130:
            break
        assert done.stderr.strip() in ("", "interrupted"), at
        assert processes_of(home) == []
    assert codes.count(130) > 2
    assert codes[-1] == 0  # more imports than there are
    if "up" in words:
        assert devserver("down").returncode == 0
