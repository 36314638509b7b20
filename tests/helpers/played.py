"""A game day that runs in a process of its own, and the person who plays it by commands."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.conftest import Run, command
from tests.helpers.waiting import LIMIT, eventually

FILE = Path(__file__).parents[1] / "devserver" / "rehearsal" / "gamedays" / "watch.py"
READY = "devserver gameday end "


class PlayedGameDay:
    """A running game day.

    Attributes:
        process: The process that runs it.
        report: The folder of its debrief.
        log: What it has printed to stderr.
    """

    def __init__(self, process: subprocess.Popen[str], run: Run, report: Path, log: Path) -> None:
        self.process = process
        self.report = report
        self._run = run
        self._log = log

    @property
    def said(self) -> str:
        """What it has printed to stderr so far."""
        return self._log.read_text()

    def page(self) -> str:
        """The facilitator's page."""
        found = re.search(r"facilitator's page .*: (http://\S+)", self.said)
        assert found is not None, self.said
        return found[1]

    def begin(self) -> None:
        """Wait until the briefing is printed."""
        eventually(lambda: READY in self.said or self.process.poll() is not None)
        assert READY in self.said, self.said

    def ask(self, *words: str) -> dict[str, Any]:
        """Say or do something."""
        done = self._run("gameday", *words, "--json")
        assert done.returncode in (0, 1), done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def variables(self) -> dict[str, str]:
        """The settings of the person's terminals."""
        found: dict[str, str] = self.ask("env")["variables"]
        return found

    def debrief(self) -> dict[str, Any]:
        """Wait for the end, and read the debrief."""
        self.process.wait(LIMIT)
        shape: dict[str, Any] = json.loads((self.report / "debrief.json").read_text())
        return shape


@contextlib.contextmanager
def played(
    run: Run, folder: Path, *options: str, scenario: str = "", only: str = "The night watch"
) -> Iterator[PlayedGameDay]:
    """Run a game day until the end of the block."""
    report, log = folder / "report", folder / "game-day.log"
    what = [scenario] if scenario else [str(FILE), "--only", only]
    words = command("gameday", "run", *what, "--report", str(report), *options)
    with log.open("w") as err:
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=err, text=True, start_new_session=True)
    try:
        yield PlayedGameDay(process, run, report, log)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(LIMIT)
        if process.stdout is not None:
            process.stdout.close()
