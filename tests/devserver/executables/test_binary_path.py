"""An executable of the user's, run where it lies."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from devserver.errors import BinaryNotFound, ChecksumMismatch, NotTemporal, OptionError, UnpinnedVersion, VersionRefused
from devserver.executables import BinaryRequest, temporal_cli
from devserver.executables.resolve import ensure
from devserver.system.paths import Paths
from tests.helpers.download_service import script
from tests.helpers.recorder import Recorder


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A build of one's own that calls itself 1.9.1."""
    path = tmp_path / "own" / "temporal"
    path.parent.mkdir()
    path.write_bytes(script("1.9.1", "1.32.0"))
    path.chmod(0o755)
    return path


def test_the_real_executable_runs_where_it_lies_and_is_pinned(paths: Paths, real_binary: Path) -> None:
    """Nothing is copied."""
    found = ensure(BinaryRequest(binary=real_binary, require_pinned=True), paths=paths)
    assert (found.path, found.source, found.pinned) == (real_binary, "explicit", True)
    assert not paths.store.exists()


def test_it_is_asked_only_once(paths: Paths, own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer is remembered until the file changes."""
    asked: list[Path] = []
    real = temporal_cli.probe_version

    def ask(path: Path) -> temporal_cli.ProbeResult:
        asked.append(path)
        return real(path)

    monkeypatch.setattr(temporal_cli, "probe_version", ask)
    first = ensure(BinaryRequest(binary=own), paths=paths)
    assert ensure(BinaryRequest(binary=own), paths=paths) == first
    own.write_bytes(script("1.9.2", "1.32.1"))
    assert ensure(BinaryRequest(binary=own), paths=paths).version == "1.9.2"
    assert len(asked) == 2


def test_a_build_of_ones_own_is_named_at_every_start(paths: Paths, own: Path, recorder: Recorder) -> None:
    """Its hash is not the pin, which is what an own build is for; it stays where it is."""
    found = ensure(BinaryRequest(binary=own), paths=paths, reporter=recorder)
    assert not found.pinned
    assert "is not a pinned build" in recorder.warnings[0]
    ensure(BinaryRequest(binary=own), paths=paths, reporter=recorder)
    assert len(recorder.warnings) == 2


def test_a_build_of_ones_own_is_refused_where_pins_are_required(paths: Paths, own: Path) -> None:
    """The error offers to accept its hash, and the file is not deleted."""
    sha256 = hashlib.sha256(own.read_bytes()).hexdigest()
    with pytest.raises(UnpinnedVersion, match=f"--accept-sha256 {sha256}"):
        ensure(BinaryRequest(binary=own, require_pinned=True), paths=paths)
    assert own.exists()
    assert ensure(BinaryRequest(binary=own, require_pinned=True, accept_sha256=sha256), paths=paths)


def test_an_unknown_version_is_refused_where_pins_are_required(paths: Paths, own: Path) -> None:
    """The same holds for a version that was never published; the file is not run to ask for it."""
    own.write_bytes(b"#!/bin/sh\ntouch was-run\n")
    with pytest.raises(UnpinnedVersion, match="it was not run"):
        ensure(BinaryRequest(binary=own, require_pinned=True), paths=paths)
    assert not Path("was-run").exists()


def test_another_accepted_hash_is_a_mismatch(paths: Paths, own: Path) -> None:
    """Who names a hash gets that one or an error."""
    with pytest.raises(ChecksumMismatch):
        ensure(BinaryRequest(binary=own, accept_sha256="1" * 64), paths=paths)
    assert own.exists()


def test_another_version_than_the_one_asked_for_is_refused(paths: Paths, own: Path) -> None:
    """`--binary` and `--version` must agree."""
    with pytest.raises(BinaryNotFound, match=r"is temporal 1\.9\.1, not the requested 1\.8\.3"):
        ensure(BinaryRequest(binary=own, version="1.8.3"), paths=paths)


def test_each_thing_that_is_no_executable_has_its_own_words(paths: Paths, tmp_path: Path, own: Path) -> None:
    """Missing, a folder, not executable, not named at all."""
    with pytest.raises(BinaryNotFound, match="does not exist"):
        ensure(BinaryRequest(binary=tmp_path / "none"), paths=paths)
    with pytest.raises(NotTemporal, match="is not a file"):
        ensure(BinaryRequest(binary=own.parent), paths=paths)
    own.chmod(0o644)
    with pytest.raises(NotTemporal, match="you may not read and execute"):
        ensure(BinaryRequest(binary=own), paths=paths)
    with pytest.raises(OptionError, match="needs the path"):
        ensure(BinaryRequest(source="explicit"), paths=paths)


def test_a_damaged_memory_is_asked_again(paths: Paths, own: Path) -> None:
    """A cache that cannot be read is no reason to fail."""
    first = ensure(BinaryRequest(binary=own), paths=paths)
    (paths.cache / "explicit.json").write_text("[1, 2")
    assert ensure(BinaryRequest(binary=own), paths=paths) == first


def test_a_file_that_was_exchanged_is_hashed_again_though_it_looks_the_same(paths: Paths, own: Path) -> None:
    """Size, time of change and inode can be kept; what `--require-pinned` believes cannot hang on them."""
    sha256 = hashlib.sha256(own.read_bytes()).hexdigest()
    request = BinaryRequest(binary=own, accept_sha256=sha256, require_pinned=True)
    ensure(request, paths=paths)
    before = own.stat()
    own.write_bytes(own.read_bytes().replace(b"UI 2", b"UI 3"))
    os.utime(own, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (own.stat().st_size, own.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    with pytest.raises(ChecksumMismatch):
        ensure(request, paths=paths)


def test_an_own_build_under_the_floor_says_how_to_run_it(paths: Paths, own: Path) -> None:
    """The way out in the error works."""
    own.write_bytes(script("1.5.1", "1.29.1"))
    with pytest.raises(VersionRefused, match=f"--version 1.5.1 with --binary {own}"):
        ensure(BinaryRequest(binary=own), paths=paths)
    assert ensure(BinaryRequest(binary=own, version="1.5.1"), paths=paths).path == own
