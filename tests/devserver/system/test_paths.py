"""Locations of files, and the variables that change them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from devserver.errors import OptionError
from devserver.system.paths import Paths, whole


def test_one_variable_moves_all_folders(tmp_path: Path) -> None:
    """Cache, state and data are below DEVSERVER_HOME."""
    paths = Paths.default({"DEVSERVER_HOME": str(tmp_path)})
    assert (paths.cache, paths.state, paths.data) == (tmp_path / "cache", tmp_path / "state", tmp_path / "data")


def test_a_home_with_a_tilde(home: Path) -> None:
    """`~` is expanded, even if the shell did not do it."""
    assert Paths.default({"DEVSERVER_HOME": "~/here"}).cache == home / "here" / "cache"


def test_an_unknown_users_home_is_a_usage_error() -> None:
    """It is reported before anything is created."""
    with pytest.raises(OptionError, match="no home folder ~nosuchuser"):
        Paths.default({"DEVSERVER_HOME": "~nosuchuser/x"})
    with pytest.raises(OptionError, match="is not a path"):
        whole(Path("a\0b"))


def test_default_folders(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On Linux the folders follow XDG; each is named after the package."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "elsewhere"))
    paths = Paths.default({})
    assert {path.name for path in (paths.cache, paths.state, paths.data)} == {"temporal-devserver"}
    assert all(home in path.parents for path in (paths.cache, paths.state, paths.data))
    if sys.platform == "linux":
        assert paths.cache == home / "elsewhere" / "temporal-devserver"


def test_every_instance_has_its_own_folders(tmp_path: Path) -> None:
    """State, database, snapshots and backups of instances are separate."""
    paths = Paths(tmp_path / "cache", tmp_path / "state", tmp_path / "data")
    for name, other in (("one", "two"), ("two", "one")):
        found = (paths.instance(name), paths.database(name), paths.snapshots(name), paths.backups(name))
        assert all(name in path.parts and other not in path.parts for path in found)
        assert len(set(found)) == len(found)


def test_paths_create_nothing(tmp_path: Path) -> None:
    """A command that only reads creates no folder."""
    paths = Paths.default({"DEVSERVER_HOME": str(tmp_path / "new")})
    assert all(tmp_path in path.parents for path in (paths.store, paths.schemas, paths.bug_reports))
    assert not (tmp_path / "new").exists()


def test_a_relative_home_is_refused() -> None:
    """It would be another folder in each checkout, and the executables in it would be run."""
    with pytest.raises(OptionError, match=r"DEVSERVER_HOME is a relative path: \.dev") as error:
        Paths.default({"DEVSERVER_HOME": ".dev"})
    assert error.value.hint == "give the full path of a folder of your own, not of one in a checkout that others wrote"
