"""Writes recordings in the process that has the terminal, whichever process ran the tests."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from ..reports.files import write
from .unused_recordings import RecordingUse

ATTRIBUTE = "temporal_recordings"
FINISHED = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
MAX_LISTED = 20
AMBIGUOUS = (
    "recordings have the name of several workflows, which ran in different xdist workers; one was recorded of each: "
    "give the workflows unique ids, or record with --dist loadscope or without xdist:"
)
START = "workflowExecutionStartedEventAttributes"


def add_to_report(report: pytest.TestReport, recorded: Sequence[tuple[str, str]]) -> None:
    """Add recordings to the report of a test, which xdist sends from its workers to the controller."""
    if recorded:
        setattr(report, ATTRIBUTE, [list(pair) for pair in recorded])


class RecordingWriter:
    """A pytest plugin that is registered with `--temporal-record`.

    Raises:
        pytest.UsageError: The folder cannot be created.
    """

    def __init__(self, config: pytest.Config, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise pytest.UsageError(f"--temporal-record: cannot create the folder {folder}: {error}") from None
        self._folder = folder
        self._use = RecordingUse(config)
        self._written: set[Path] = set()
        self._problems: list[str] = []
        self._ambiguous: set[Path] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Write the recordings of a test, and those of scopes that ended with it."""
        self._use.note_outcome(report)
        recorded = {self._folder / name: text for name, text in getattr(report, ATTRIBUTE, ())}
        for path, text in recorded.items():
            try:
                write(path, self._choose(path, text))
            except OSError as error:
                self._problems.append(f"{path} cannot be written: {error}")
            else:
                self._written.add(path)
        for owner in {path.parent for path in recorded}:
            self._use.note_recorded(owner)

    def _choose(self, path: Path, text: str) -> str:
        """Which of two recordings with one name to keep, if several xdist workers ran a scope: always the same one."""
        new = json.loads(text)
        if path not in self._written or new.get("scope") is None:
            return text
        other = path.read_text("utf-8")
        if _identity(new) != _identity(json.loads(other)):
            self._ambiguous.add(path)
        return min(text, other)

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Fail a run whose recordings could not be written."""
        if self._problems and exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter, exitstatus: int) -> None:
        """Show what was written, and which recordings are unused."""
        terminalreporter.section("Temporal recordings")
        terminalreporter.write_line(f"{len(self._written)} histories written to {self._folder}")
        for problem in self._problems:
            terminalreporter.write_line(problem, red=True)
        _list(terminalreporter, self._ambiguous, AMBIGUOUS)
        unused = self._use.unused(self._folder, self._written) if exitstatus in FINISHED else []
        _list(terminalreporter, unused, "recordings no longer belong to a test; delete them:")


def _identity(recording: dict[str, Any]) -> tuple[Any, Any]:
    """What distinguishes workflows with one name: the type and the input."""
    return recording["workflow_type"], recording["history"]["events"][0].get(START, {}).get("input")


def _list(terminalreporter: pytest.TerminalReporter, paths: Sequence[Path] | set[Path], head: str) -> None:
    if paths:
        terminalreporter.write_line(f"{len(paths)} {head}")
    for path in sorted(paths)[:MAX_LISTED]:
        terminalreporter.write_line(f"  {path}")
    if len(paths) > MAX_LISTED:
        terminalreporter.write_line(f"  ... and {len(paths) - MAX_LISTED} more")
