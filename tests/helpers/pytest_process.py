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
from typing import TYPE_CHECKING, Any

from tests.helpers.fork_server import Forked
from tests.helpers.waiting import eventually

if TYPE_CHECKING:
    from tests.temporaltest.conftest import Suite

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

    def __init__(self, process: subprocess.Popen[str] | Forked, folder: Path) -> None:
        self.process = process
        self.folder = folder

    def reports(self, count: int = 1) -> list[dict[str, Any]]:
        """Wait until the tests have reported `count` times; return the reports."""
        return eventually(lambda: self._enough_reports(count))

    def _enough_reports(self, count: int) -> list[dict[str, Any]]:
        ended = self.process.poll() is not None
        assert not ended or len(reports(self.folder)) >= count, self.output()
        found = reports(self.folder)
        return found if len(found) >= count else []

    def release(self, name: str) -> None:
        """Let tests continue that wait for `name`."""
        (self.folder / name).touch()

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
def running(
    suite: Suite, *args: str, ways: Sequence[str] = ("-p", "no:xdist"), fresh: bool = False
) -> Iterator[Running]:
    """Run pytest in the suite's folder; kill it and all of its processes at the end of the block. With `fresh`, it and
    xdist's workers run in new interpreters.
    """
    options = ("-Werror", "-ra", "-p", "no:cacheprovider", "-p", "no:benchmark", *ways, *args)
    command = [sys.executable, "-m", "pytest", *options]
    start = _new if fresh or not suite.forks.fits(command, os.environ) else _forked
    with start(suite, command) as process:
        try:
            yield Running(process, suite.path)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _forked(suite: Suite, command: Sequence[str]) -> Forked:
    read_end, write_end = os.pipe()
    with os.fdopen(write_end, "w") as output:
        streams = {"stdin": 0, "stdout": output.fileno(), "stderr": output.fileno()}
        process = suite.forks.start(command[1:], env=os.environ, **streams, session=True)
    process.stdout = os.fdopen(read_end)
    return process


def _new(suite: Suite, command: Sequence[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        cwd=suite.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
