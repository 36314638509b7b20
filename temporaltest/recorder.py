"""Writes what tests have recorded, once: in the process that has the terminal, whoever ran the tests."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from . import selection
from .names import test_id, write

if TYPE_CHECKING:
    from .case import Case

ATTRIBUTE = "temporal_recordings"
FINISHED = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
MOST = 20


def hand_over(report: pytest.TestReport, case: Case) -> None:
    """Put a passed test's recordings into its report, in which they come from xdist's workers to their controller."""
    if report.when == "call" and report.passed and case.aftermath.recorded:
        setattr(report, ATTRIBUTE, case.aftermath.recorded)


class Recorder:
    """A plugin of pytest, there if a folder to record into is given.

    Raises:
        pytest.UsageError: The folder cannot be made.
    """

    def __init__(self, config: pytest.Config, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise pytest.UsageError(f"--temporal-record: {folder} cannot be a folder: {error}") from None
        self._config = config
        self._folder = folder
        self._written: set[Path] = set()
        self._tests: dict[str, str] = {}
        self._problems: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Write a test's recordings."""
        test = test_id(report.nodeid)
        if report.when == "call" or test not in self._tests:
            self._tests[test] = report.outcome
        for name, text in getattr(report, ATTRIBUTE, ()):
            try:
                write(self._folder / name, text)
            except OSError as error:
                self._problems.append(f"{self._folder / name} cannot be written: {error}")
            else:
                self._written.add(self._folder / name)

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
        whole = exitstatus in FINISHED and self._is_whole()
        unused = sorted(self._unused()) if whole else []
        if unused:
            terminalreporter.write_line(f"{len(unused)} recordings belong to no test any more; delete them:")
        for path in unused[:MOST]:
            terminalreporter.write_line(f"  {path}")
        if len(unused) > MOST:
            terminalreporter.write_line(f"  ... and {len(unused) - MOST} more")

    def _is_whole(self) -> bool:
        """Whether no test was left out of the files that ran; otherwise nothing is known of theirs."""
        stopped = self._config.option.maxfail and "failed" in self._tests.values()
        return selection.runs_all(self._config) and not stopped and not any("::" in arg for arg in self._config.args)

    def _unused(self) -> Iterable[Path]:
        everything = self._config.args_source is not pytest.Config.ArgsSource.ARGS
        files = {test.split("::")[0] for test in self._tests}
        for path in self._folder.rglob("*.json"):
            test = _test_of(path)
            if path in self._written or test is None:
                continue
            outcome = self._tests.get(test)
            file = test.split("::")[0]
            ours = everything or file in files or not (self._config.rootpath / file).exists()
            if outcome == "passed" or (outcome is None and ours):
                yield path


def _test_of(path: Path) -> str | None:
    """The test whose recording a file is; None if it is none."""
    try:
        test = json.loads(path.read_text("utf-8"))["test"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return test if isinstance(test, str) else None
