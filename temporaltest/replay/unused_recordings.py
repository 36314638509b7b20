"""Which recordings no longer belong to a test, as far as a run can know."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..isolation import pytest_run
from ..reports.files import test_id

BROAD = ("package", "session")


class RecordingUse:
    """The outcomes and recordings of a run, from which unused recordings follow."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._root = config.rootpath
        self._tests: dict[str, str] = {}
        self._times: Counter[Path] = Counter()

    def note_outcome(self, report: pytest.TestReport) -> None:
        """Note the outcome of a test."""
        test = test_id(report.nodeid)
        if report.when == "call" or report.failed or test not in self._tests:
            self._tests[test] = report.outcome

    def note_recorded(self, folder: Path) -> None:
        """Note that a test or scope was recorded; several xdist workers may record the same scope."""
        self._times[folder] += 1

    def unused(self, folder: Path, written: set[Path]) -> list[Path]:
        """The recordings whose test, or fixture, no longer exists or no longer runs the workflow."""
        stopped = self._config.option.maxfail and "failed" in self._tests.values()
        # If the run left out some tests of a file, their recordings may be in use.
        if not pytest_run.executes_all(self._config) or stopped or any("::" in arg for arg in self._config.args):
            return []
        return sorted(path for path in folder.rglob("*.json") if path not in written and self._is_unused(path))

    def _is_unused(self, path: Path) -> bool:
        content = content_of(path)
        owner, scope = content.get("test"), content.get("scope")
        if not isinstance(owner, str):
            return False
        if scope is not None:
            return self._is_unused_by_scope(path, owner, scope)
        outcome = self._tests.get(owner)
        return outcome == "passed" or (outcome is None and self._has_run(owner))

    def _is_unused_by_scope(self, path: Path, owner: str, scope: object) -> bool:
        """Only if every test that could use the fixture has passed, all in one process."""
        has_run = self._everything if scope in BROAD else self._has_run(owner)
        node = owner.rpartition("::")[0]
        return has_run and self._times[path.parent] <= 1 and {*self._outcomes(node)} <= {"passed"}

    def _outcomes(self, node: str) -> Iterator[str]:
        for test, outcome in self._tests.items():
            if node in ("", ".", test) or test.startswith((f"{node}::", f"{node}/")):
                yield outcome

    @property
    def _everything(self) -> bool:
        sources = pytest.Config.ArgsSource
        here = self._config.invocation_params.dir == self._root
        return self._config.args_source is sources.TESTPATHS or (
            self._config.args_source is sources.INVOCATION_DIR and here
        )

    def _has_run(self, test: str) -> bool:
        """Whether the file of a test has run, or would have if it existed."""
        file = test.split("::")[0]
        files = {node.split("::")[0] for node in self._tests}
        return self._everything or file in files or not (self._root / file).exists()


def content_of(path: Path) -> dict[str, object]:
    """The content of a recording; empty if the file is no recording."""
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
