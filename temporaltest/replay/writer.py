"""Writes what tests have recorded, once: in the process that has the terminal, whoever ran the tests."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from ..reports.files import write
from .unused_recordings import Knowledge

ATTRIBUTE = "temporal_recordings"
FINISHED = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
MOST = 20
AMBIGUOUS = (
    "recordings of scopes are of one workflow where several have that name, each in a worker of xdist: "
    "give them ids of their own, or record with --dist loadscope or without xdist:"
)
START = "workflowExecutionStartedEventAttributes"


def add_to_report(report: pytest.TestReport, recorded: Sequence[tuple[str, str]]) -> None:
    """Add recordings to the report of a test, which xdist sends from its workers to the controller."""
    if recorded:
        setattr(report, ATTRIBUTE, [list(pair) for pair in recorded])


class RecordingWriter:
    """A plugin of pytest, there if a folder to record into is given.

    Raises:
        pytest.UsageError: The folder cannot be made.
    """

    def __init__(self, config: pytest.Config, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise pytest.UsageError(f"--temporal-record: {folder} cannot be a folder: {error}") from None
        self._folder = folder
        self._knowledge = Knowledge(config)
        self._written: set[Path] = set()
        self._problems: list[str] = []
        self._ambiguous: set[Path] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Write a test's recordings, and those of scopes that ended with it."""
        self._knowledge.learn(report)
        recorded = {self._folder / name: text for name, text in getattr(report, ATTRIBUTE, ())}
        for path, text in recorded.items():
            try:
                write(path, self._choose(path, text))
            except OSError as error:
                self._problems.append(f"{path} cannot be written: {error}")
            else:
                self._written.add(path)
        for owner in {path.parent for path in recorded}:
            self._knowledge.recorded(owner)

    def _choose(self, path: Path, text: str) -> str:
        """Of a scope that several workers of xdist had, each its own, one recording of a name: always the same one."""
        new = json.loads(text)
        if path not in self._written or new.get("scope") is None:
            return text
        other = path.read_text("utf-8")
        if _gist(new) != _gist(json.loads(other)):
            self._ambiguous.add(path)
        return min(text, other)

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """A run that was to record and did not has failed."""
        if self._problems and exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter, exitstatus: int) -> None:
        """Say what was written, and what is left of tests that are no more."""
        terminalreporter.section("Temporal recordings")
        terminalreporter.write_line(f"{len(self._written)} histories written to {self._folder}")
        for problem in self._problems:
            terminalreporter.write_line(problem, red=True)
        _list(terminalreporter, self._ambiguous, AMBIGUOUS)
        unused = self._knowledge.unused(self._folder, self._written) if exitstatus in FINISHED else []
        _list(terminalreporter, unused, "recordings belong to no test any more; delete them:")


def _gist(recording: dict[str, Any]) -> tuple[Any, Any]:
    """What tells workflows apart that have one name: what they are given."""
    return recording["workflow_type"], recording["history"]["events"][0].get(START, {}).get("input")


def _list(terminalreporter: pytest.TerminalReporter, paths: Sequence[Path] | set[Path], head: str) -> None:
    if paths:
        terminalreporter.write_line(f"{len(paths)} {head}")
    for path in sorted(paths)[:MOST]:
        terminalreporter.write_line(f"  {path}")
    if len(paths) > MOST:
        terminalreporter.write_line(f"  ... and {len(paths) - MOST} more")
