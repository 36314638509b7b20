"""Where things are kept, as the user says it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from devserver.errors import OptionError
from devserver.system.paths import Paths, whole


def test_one_variable_moves_all_folders(tmp_path: Path) -> None:
    """Cache, state and data are below it."""
    paths = Paths.default({"DEVSERVER_HOME": str(tmp_path)})
    assert (paths.cache, paths.state, paths.data) == (tmp_path / "cache", tmp_path / "state", tmp_path / "data")


def test_a_home_may_be_written_short(home: Path) -> None:
    """`~` is the user's, wherever the shell did not replace it."""
    assert Paths.default({"DEVSERVER_HOME": "~/here"}).cache == home / "here" / "cache"


def test_a_home_that_nobody_has_is_a_matter_of_usage() -> None:
    """It is told as that, before anything is made."""
    with pytest.raises(OptionError, match="no home folder ~nosuchuser"):
        Paths.default({"DEVSERVER_HOME": "~nosuchuser/x"})
    with pytest.raises(OptionError, match="is not a path"):
        whole(Path("a\0b"))


def test_without_it_the_users_own_folders_are_taken(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """XDG on Linux; each of the three is ours by name."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "elsewhere"))
    paths = Paths.default({})
    assert {path.name for path in (paths.cache, paths.state, paths.data)} == {"temporal-devserver"}
    assert all(home in path.parents for path in (paths.cache, paths.state, paths.data))
    if sys.platform == "linux":
        assert paths.cache == home / "elsewhere" / "temporal-devserver"


def test_each_instance_has_folders_of_its_own(tmp_path: Path) -> None:
    """State, database, snapshots and backups of one never lie in another's."""
    paths = Paths(tmp_path / "cache", tmp_path / "state", tmp_path / "data")
    for name, other in (("one", "two"), ("two", "one")):
        found = (paths.instance(name), paths.database(name), paths.snapshots(name), paths.backups(name))
        assert all(name in path.parts and other not in path.parts for path in found)
        assert len(set(found)) == len(found)


def test_knowing_the_folders_makes_none(tmp_path: Path) -> None:
    """A command that only looks leaves nothing behind."""
    paths = Paths.default({"DEVSERVER_HOME": str(tmp_path / "new")})
    assert all(tmp_path in path.parents for path in (paths.store, paths.schemas, paths.bug_reports))
    assert not (tmp_path / "new").exists()
