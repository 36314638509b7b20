"""`--temporal-replay-from`: each recorded history is a pytest item with an outcome of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from _pytest.fixtures import TopRequest

from ..isolation import pytest_run
from . import client_options


def add_to_collection(config: pytest.Config, folder: Path, *, by_flag: bool) -> None:
    """Add the folder to what is collected; where only the flag is given, it alone is collected.

    A folder from an ini file is not added to a run of selected tests. xdist's workers decide the same.

    Raises:
        pytest.UsageError: The folder has no recordings.
    """
    if not pytest_run.executes_tests(config):
        return
    from ..errors import SetupError
    from .fixture import files_of

    problem = ""
    try:
        files_of(folder)
    except SetupError as error:
        problem = f"--temporal-replay-from: {error}"
    if problem:
        raise pytest.UsageError(problem)
    selected = config.args_source is pytest.Config.ArgsSource.ARGS
    if by_flag and not selected:
        config.args = [str(folder)]
    elif by_flag or not selected:
        here = config.invocation_params.dir
        within = any((here / arg.split("::")[0]).resolve() in (folder, *folder.parents) for arg in config.args)
        config.args += [] if within else [str(folder)]


class HistoryCollector:
    """A pytest plugin that is registered with `--temporal-replay-from`: collects the recordings of a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Collect folders of recordings, whatever their names are."""
        return False if collection_path.resolve().is_relative_to(self.folder) else None

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        """Collect each history file of the folder."""
        from devserver.history import is_history_name

        if not is_history_name(file_path) or not file_path.resolve().is_relative_to(self.folder):
            return None
        collector: pytest.Collector = HistoryFile.from_parent(parent, path=file_path)
        return collector


class HistoryFile(pytest.Module):
    """A recorded history. It is a module, as files of doctests are, so that it can be the scope of fixtures."""

    obj = None

    def collect(self) -> Iterator[pytest.Item]:
        """Its replay, as one item."""
        yield HistoryItem.from_parent(self, name="replay", recorded_node=client_options.node_of(self))


class HistoryItem(pytest.Item):
    """The replay of a recorded history. It uses fixtures, as doctests do: the client options of its test."""

    def __init__(self, recorded_node: client_options.RecordedNode, **keywords: Any) -> None:
        super().__init__(**keywords)
        self._recorded_node = recorded_node
        self.funcargs: dict[str, object] = {}
        self._fixtureinfo = self.session._fixturemanager.getfixtureinfo(node=self, func=None, cls=None)
        self._fixtureinfo.name2fixturedefs.update(recorded_node.definitions(self))
        self.fixturenames = self._fixtureinfo.names_closure
        self._request = TopRequest(self, _ispytest=True)  # type: ignore[arg-type] # as pytest's doctests do

    def setup(self) -> None:
        """Set up the fixtures."""
        self._request._fillfixtures()
        self._options = self._request.getfixturevalue(client_options.FIXTURE)

    def runtest(self) -> None:
        """Replay the history."""
        from ..isolation import pytest_run
        from . import fixture, module_code

        loop = pytest_run.session_of(self.config).loop
        code = module_code.of_config(self.config)
        options = {**code.options, **fixture.options_of(self._options)}
        fixture.replay_files([self.path], self.config.rootpath, None, options, loop, others=code.workflows)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The message of a failed replay, without a traceback."""
        from ..errors import TemporalTestError

        if not isinstance(excinfo.value, TemporalTestError):
            return super().repr_failure(excinfo, style)
        missing = self._recorded_node.missing
        note = f"({client_options.FIXTURE} may differ from the one this was recorded with: {missing})"
        return f"{excinfo.value}\n{note}" if missing else str(excinfo.value)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """The heading of a failure."""
        return self.path, None, f"replay of {self.path.parent.name}/{self.path.name}"
