"""A run of pytest that a test can watch, interrupt or kill."""

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

# For the tests of a suite: report facts, and wait for files.
TALK = """
import json, os, time
from pathlib import Path

def report(**facts):
    facts.update(pid=os.getpid(), worker=os.environ.get("PYTEST_XDIST_WORKER", "main"))
    with open("reports.jsonl", "a") as file:
        file.write(json.dumps(facts) + "\\n")

def wait_for(name):
    deadline = time.monotonic() + 60
    while not Path(name).exists():
        assert time.monotonic() < deadline, f"{name} never came"
        time.sleep(0.01)
"""


class Running:
    """A run in its own session, as a shell starts it."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self.process = process
        self.folder = folder

    def reports(self, count: int = 1) -> list[dict[str, Any]]:
        """Wait until the tests have reported `count` times; return the reports."""
        return eventually(lambda: self._enough_reports(count))

    def _enough_reports(self, count: int) -> list[dict[str, Any]]:
        assert self.process.poll() is None or len(reports(self.folder)) >= count, self.process.communicate()[0]
        found = reports(self.folder)
        return found if len(found) >= count else []

    def release(self, name: str) -> None:
        """Let tests continue that wait for `name`."""
        (self.folder / name).touch()

    def workers(self) -> list[psutil.Process]:
        """Return xdist's worker processes."""
        return [
            child for child in psutil.Process(self.process.pid).children() if "execnet" in " ".join(child.cmdline())
        ]

    def interrupt(self) -> None:
        """Send SIGINT to every process of the run, as a terminal does on Ctrl-C."""
        os.killpg(self.process.pid, signal.SIGINT)

    def kill(self) -> None:
        """Kill pytest itself with SIGKILL."""
        self.process.kill()

    def output(self) -> str:
        """Wait for its end; return its output."""
        return self.process.communicate(timeout=END_SECONDS)[0]


def reports(folder: Path) -> list[dict[str, Any]]:
    """Return what the tests of the suite in that folder have reported so far."""
    path = folder / "reports.jsonl"
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")]


@contextlib.contextmanager
def running(folder: Path, *args: str, ways: Sequence[str] = ("-p", "no:xdist")) -> Iterator[Running]:
    """Run pytest in that folder; kill it and all of its processes at the end of the block."""
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
