"""The executable with all roles: given, built, or missing. Go is replaced by a script here: see `make test-cluster`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from devserver.cluster import ClusterBuildFailed, ClusterExecutableMissing, executable
from devserver.errors import OptionError
from devserver.system.paths import HOME_VARIABLE, Paths
from devserver.system.progress import Silent
from tests.helpers.checkout import ROOT
from tests.helpers.fake_cluster import fake_cluster
from tests.helpers.waiting import eventually

GO = """#!/bin/sh
echo "$@" >> {folder}/calls
case "$1" in
get) [ ! -e {folder}/fails ] || {{ echo "no such module"; exit 1; }} ;;
build) while [ -e {folder}/hangs ]; do sleep 0.05; done; cp {made} temporal-cluster ;;
esac
"""


@pytest.fixture
def go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a `go` on PATH that copies a fake executable; nothing is given by the environment."""
    monkeypatch.delenv(executable.VARIABLE, raising=False)
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    folder = tmp_path / "go"
    folder.mkdir()
    script = folder / "go"
    script.write_text(GO.format(folder=folder, made=fake_cluster(tmp_path)))
    script.chmod(0o700)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


def test_a_build_is_kept(go: Path) -> None:
    """It is built once, found afterwards, and the folder in which it was built is gone."""
    paths = Paths.default()
    with pytest.raises(ClusterExecutableMissing, match="is not on this machine") as caught:
        executable.find("1.32.0", paths)
    assert "devserver cluster build 1.32.0" in str(caught.value.hint)
    made = executable.build("1.32.0", paths, Silent())
    calls = (go / "calls").read_text()
    assert "get go.temporal.io/server@v1.32.0" in calls
    assert executable.build("1.32.0", paths, Silent()) == made == executable.find("1.32.0", paths)
    assert (go / "calls").read_text() == calls
    assert sorted(path.name for path in made.parent.iterdir()) == ["lock", "temporal-cluster"]


def test_a_build_that_fails(go: Path) -> None:
    """What Go says is in the error, nothing is left, and the next build succeeds."""
    (go / "fails").touch()
    paths = Paths.default()
    with pytest.raises(ClusterBuildFailed, match=r"get go\.temporal\.io/server@v1\.32\.0 failed") as caught:
        executable.build("1.32.0", paths, Silent())
    assert "no such module" in caught.value.details
    (go / "fails").unlink()
    assert executable.build("1.32.0", paths, Silent()).is_file()


def test_a_build_of_another_version(go: Path) -> None:
    """An executable that says another version than the one asked for is not kept."""
    with pytest.raises(ClusterBuildFailed, match=r"says that it is Temporal 1\.32\.0, not 1\.31\.0"):
        executable.build("1.31.0", Paths.default(), Silent())
    assert not executable.built("1.31.0", Paths.default()).exists()


def test_a_build_that_is_killed(go: Path) -> None:
    """Go ends with it, nothing is left that counts as built, and the next build succeeds."""
    (go / "hangs").touch()
    words = [sys.executable, "-m", "devserver", "cluster", "build"]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        eventually(
            lambda: (go / "calls").exists() and "build" in "".join((go / "calls").read_text().split("\n")[-2:-1])
        )
        with pytest.raises(ClusterBuildFailed, match="another process is building"):
            executable.build("1.32.0", Paths.default(), Silent())
        os.kill(process.pid, signal.SIGKILL)
    (go / "hangs").unlink()
    assert executable.build("1.32.0", Paths.default(), Silent()).is_file()


def test_without_go(go: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what is missing and the two ways out."""
    monkeypatch.setenv("PATH", str(go.parent / "nothing"))
    with pytest.raises(ClusterBuildFailed, match="Go is not installed") as caught:
        executable.build("1.32.0", Paths.default(), Silent())
    assert executable.VARIABLE in str(caught.value.hint)


def test_an_executable_that_is_given(go: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable wins; another version and a file that cannot be executed are refused."""
    given = fake_cluster(tmp_path)
    monkeypatch.setenv(executable.VARIABLE, str(given))
    assert executable.find("1.32.0", Paths.default()) == given
    with pytest.raises(ClusterExecutableMissing, match=r"of Temporal 1\.32\.0, not 1\.31\.0"):
        executable.find("1.31.0", Paths.default())
    given.chmod(0o600)
    with pytest.raises(ClusterExecutableMissing, match="names no executable file"):
        executable.find("1.32.0", Paths.default())


def test_a_version_that_is_none(go: Path) -> None:
    """A version becomes a part of a path and of a module's version, so nothing else is taken."""
    with pytest.raises(OptionError, match="is not a version"):
        executable.build("latest/../..", Paths.default(), Silent())
