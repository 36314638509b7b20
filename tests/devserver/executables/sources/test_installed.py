"""An executable that is on this machine already."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

import pytest

from devserver.errors import BinaryNotFound
from devserver.executables import BinaryRequest, known_releases
from devserver.executables.resolve import ensure
from devserver.executables.sources import installed
from devserver.system.paths import Paths
from devserver.system.platforms import current
from tests.helpers.download_service import VERSION, DownloadService, script


@pytest.fixture
def on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An executable that calls itself 9.9.9, on PATH."""
    path = tmp_path / "bin" / "temporal"
    path.parent.mkdir()
    path.write_bytes(script())
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{path.parent}{os.pathsep}{os.environ['PATH']}")
    return path


def test_one_on_path_of_the_wanted_version_is_copied(paths: Paths, on_path: Path) -> None:
    """The store has a copy of its own: what happens to PATH later does not matter."""
    found = ensure(BinaryRequest(version=VERSION, offline=True), paths=paths)
    assert found.source == "installed"
    on_path.unlink()
    assert ensure(BinaryRequest(version=VERSION, offline=True), paths=paths) == found


def test_another_version_is_not_taken_and_is_told(paths: Paths, on_path: Path) -> None:
    """What lies on PATH does not decide which version runs, but the user hears of it."""
    with pytest.raises(BinaryNotFound) as caught:
        ensure(BinaryRequest(version="9.9.8", source="installed"), paths=paths)
    assert f"{on_path} is {VERSION}" in str(caught.value)
    assert "is 1.9.1" in str(caught.value)


def test_a_program_of_that_name_that_is_not_temporal_is_passed_over(paths: Paths, on_path: Path) -> None:
    """The reason is in the error's details."""
    on_path.write_text("#!/bin/sh\necho I am another temporal\n")
    with pytest.raises(BinaryNotFound, match="something else"):
        ensure(BinaryRequest(version=VERSION, source="installed"), paths=paths)
    assert ensure(BinaryRequest(source="installed"), paths=paths).version == "1.9.1"


def test_someones_own_build_on_path_does_not_stop_the_other_sources(
    paths: Paths, on_path: Path, service: DownloadService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A package manager may build from source: it is not even run, and the pinned one is downloaded."""
    on_path.write_bytes(script() + b"# built by a package manager\n")
    pins = {current().key: "0" * 64}
    monkeypatch.setitem(known_releases.PINS, VERSION, pins)
    with pytest.raises(BinaryNotFound, match=f"{on_path}: not the pinned build"):
        ensure(BinaryRequest(version=VERSION, source="installed"), paths=paths)
    pins[current().key] = hashlib.sha256(script()).hexdigest()
    found = ensure(BinaryRequest(version=VERSION, base_url=service.url), paths=paths)
    assert (found.source, found.pinned) == ("release", True)


def test_the_environments_scripts_folder_comes_before_path(on_path: Path) -> None:
    """A locked dependency is preferred to a system-wide program; each file comes once."""
    found = list(installed.candidates("temporal"))
    assert found[0] == Path(sys.executable).parent / "temporal"
    assert found.index(on_path) > 0
    assert len(found) == len({path.resolve() for path in found})


def test_empty_parts_of_path_do_not_mean_the_current_folder(
    tmp_path: Path, on_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is run from the working folder because of a stray colon."""
    (tmp_path / "temporal").write_bytes(script())
    (tmp_path / "temporal").chmod(0o755)
    monkeypatch.setenv("PATH", f":{on_path.parent}:")
    assert tmp_path / "temporal" not in list(installed.candidates("temporal"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may look everywhere")
def test_a_folder_on_path_that_may_not_be_searched_is_passed_over(
    tmp_path: Path, on_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another user's folder on PATH is no failure."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    monkeypatch.setenv("PATH", f"{closed}{os.pathsep}{on_path.parent}")
    assert on_path in list(installed.candidates("temporal"))
