"""`--temporal-replay-from`: each stored history is an item of pytest's, with an outcome of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from _pytest.fixtures import TopRequest

from ..isolation import pytest_run
from . import client_options


def add_to_collection(config: pytest.Config, folder: Path, *, by_flag: bool) -> None:
    """Have the folder collected: alone where nothing but the flag is given, else with the tests of the run.

    A folder that an ini file names is left out of a run of chosen tests. xdist's workers come to the same choice.

    Raises:
        pytest.UsageError: There is nothing in it.
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
    chosen = config.args_source is pytest.Config.ArgsSource.ARGS
    if by_flag and not chosen:
        config.args = [str(folder)]
    elif by_flag or not chosen:
        here = config.invocation_params.dir
        within = any((here / arg.split("::")[0]).resolve() in (folder, *folder.parents) for arg in config.args)
        config.args += [] if within else [str(folder)]


class HistoryCollector:
    """A plugin of pytest, there if a folder to replay from is given."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Folders of recordings are collected whatever their names are."""
        return False if collection_path.resolve().is_relative_to(self.folder) else None

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        """A file of the folder is a history."""
        if file_path.suffix != ".json" or not file_path.resolve().is_relative_to(self.folder):
            return None
        collector: pytest.Collector = HistoryFile.from_parent(parent, path=file_path)
        return collector


class HistoryFile(pytest.Module):
    """A stored history. It is a module, as doctests' files are, so that fixtures may last for it."""

    obj = None

    def collect(self) -> Iterator[pytest.Item]:
        """Its replay."""
        yield HistoryItem.from_parent(self, name="replay", home=client_options.home_of(self))


class HistoryItem(pytest.Item):
    """The replay of a stored history. It may use fixtures, as doctests may: the client options of its test."""

    def __init__(self, home: client_options.Home, **keywords: Any) -> None:
        super().__init__(**keywords)
        self._home = home
        self.funcargs: dict[str, object] = {}
        self._fixtureinfo = self.session._fixturemanager.getfixtureinfo(node=self, func=None, cls=None)
        self._fixtureinfo.name2fixturedefs.update(home.definitions(self))
        self.fixturenames = self._fixtureinfo.names_closure
        self._request = TopRequest(self, _ispytest=True)  # type: ignore[arg-type] # as pytest's doctests do

    def setup(self) -> None:
        """Have the fixtures made."""
        self._request._fillfixtures()
        self._options = self._request.getfixturevalue(client_options.FIXTURE)

    def runtest(self) -> None:
        """Replay it."""
        from ..isolation import pytest_run
        from . import fixture

        loop = pytest_run.session_of(self.config).loop
        fixture.replay_files([self.path], self.config.rootpath, None, fixture.options_of(self._options), loop)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What does not fit needs no traceback."""
        from ..errors import TemporalTestError

        if not isinstance(excinfo.value, TemporalTestError):
            return super().repr_failure(excinfo, style)
        missing = self._home.missing
        note = f"({client_options.FIXTURE} may be another than when this was recorded: {missing})"
        return f"{excinfo.value}\n{note}" if missing else str(excinfo.value)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """What stands above a failure."""
        return self.path, None, f"replay of {self.path.parent.name}/{self.path.name}"
