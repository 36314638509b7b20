"""A run of pytest that goes on while a test watches it, interrupts it or kills it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil

from tests.helpers.waiting import eventually

END_SECONDS = 240

# For the tests of a suite: tell what happened, and wait for what must happen.
TALK = """
import json, os, time
from pathlib import Path

def tell(**facts):
    facts.update(pid=os.getpid(), worker=os.environ.get("PYTEST_XDIST_WORKER", "main"))
    with open("told", "a") as file:
        file.write(json.dumps(facts) + "\\n")

def wait_for(name):
    deadline = time.monotonic() + 60
    while not Path(name).exists():
        assert time.monotonic() < deadline, f"{name} never came"
        time.sleep(0.01)
"""


class Running:
    """One such run, in a session of its own, as a shell would start it."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self.process = process
        self.folder = folder

    def told(self, count: int = 1) -> list[dict[str, Any]]:
        """What the tests told, once they have told so much."""
        return eventually(lambda: self._told(count))

    def _told(self, count: int) -> list[dict[str, Any]]:
        assert self.process.poll() is None or len(told(self.folder)) >= count, self.process.communicate()[0]
        found = told(self.folder)
        return found if len(found) >= count else []

    def let(self, name: str) -> None:
        """Let tests go on that wait for `name`."""
        (self.folder / name).touch()

    def workers(self) -> list[psutil.Process]:
        """xdist's worker processes."""
        return [each for each in psutil.Process(self.process.pid).children() if "execnet" in " ".join(each.cmdline())]

    def interrupt(self) -> None:
        """Ctrl-C: the terminal tells every process of the run."""
        os.killpg(self.process.pid, signal.SIGINT)

    def kill(self) -> None:
        """Kill -9 of pytest alone."""
        self.process.kill()

    def ends(self) -> str:
        """What it printed, once it has ended."""
        return self.process.communicate(timeout=END_SECONDS)[0]


def told(folder: Path) -> list[dict[str, Any]]:
    """What the tests of the suite in that folder have told so far."""
    path = folder / "told"
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")]


@contextlib.contextmanager
def running(folder: Path, *args: str, ways: Sequence[str] = ("-p", "no:xdist")) -> Iterator[Running]:
    """pytest in that folder, killed with all that it started at the end of the block."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-Werror",
        "-ra",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:benchmark",
        *ways,
        *args,
    ]
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    ) as process:
        try:
            yield Running(process, folder)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
