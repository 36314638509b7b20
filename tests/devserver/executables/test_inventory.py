"""What the store holds, whether it is intact, and what may go."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from devserver import executables as store
from devserver.errors import OptionError, UnsafeFolder
from devserver.executables import BinaryRequest, install_lock, inventory
from devserver.executables.install_lock import lock_of
from devserver.executables.models import Executable
from devserver.executables.resolve import ensure
from devserver.system.paths import Paths
from devserver.system.platforms import current
from tests.helpers.download_service import DownloadService, script, tar_gz


def install(paths: Paths, service: DownloadService, version: str) -> Executable:
    """Install a tiny program as that version."""
    service.archive = tar_gz(("temporal", script(version)))
    return ensure(BinaryRequest(version=version, source="release", base_url=service.url), paths=paths)


def versions(paths: Paths) -> list[str]:
    """Versions in the store."""
    return [executable.version for executable in store.installed(paths)]


def test_an_empty_store_is_no_error(paths: Paths) -> None:
    """Nothing was ever installed."""
    assert store.installed(paths) == []
    assert store.verify(paths) == []
    assert store.prune(paths) == []
    assert not paths.store.exists()


def test_installed_versions_are_listed_oldest_first(paths: Paths, service: DownloadService) -> None:
    """9.10 is newer than 9.9; what has no receipt is not listed."""
    found = [install(paths, service, version) for version in ("9.9.0", "9.10.0", "9.2.0")]
    (paths.store / "9.3.0-linux-amd64").mkdir()
    assert store.installed(paths) == [found[2], found[0], found[1]]


def test_a_changed_executable_is_found_by_hashing_again(paths: Paths, service: DownloadService) -> None:
    """Size and time can be forged; the hash cannot."""
    found = install(paths, service, "9.9.0")
    assert store.verify(paths)[0].intact
    found.path.write_bytes(script("9.9.1"))
    assert not store.verify(paths)[0].intact


def test_prune_keeps_the_default_and_what_was_named(
    paths: Paths, service: DownloadService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest goes, and each says why it stays."""
    monkeypatch.setattr(inventory, "DEFAULT_VERSION", "9.9.0")
    for version in ("9.7.0", "9.8.0", "9.9.0"):
        install(paths, service, version)
    planned = store.prune(paths, keep=["v9.8.0"], dry_run=True)
    assert versions(paths) == ["9.7.0", "9.8.0", "9.9.0"]
    assert store.prune(paths, keep=["v9.8.0"]) == planned
    assert [result.kept_because for result in planned] == [None, "kept with --keep", "the default version"]
    assert versions(paths) == ["9.8.0", "9.9.0"]
    store.prune(paths, everything=True)
    assert versions(paths) == []
    assert not list(paths.store.glob(".tmp-*"))


def test_prune_never_removes_what_an_instance_names(paths: Paths, service: DownloadService) -> None:
    """Not even with `everything`."""
    found = install(paths, service, "9.9.0")
    record = paths.instance("orders") / "record.json"
    record.parent.mkdir(parents=True)
    record.write_text(json.dumps({"executable": str(found.path)}))
    damaged = paths.instance("damaged") / "record.json"
    damaged.parent.mkdir()
    damaged.write_text("[")
    assert store.prune(paths, everything=True)[0].kept_because == "the instance orders uses it"
    assert found.path.exists()


def test_prune_never_removes_what_runs(paths: Paths, service: DownloadService) -> None:
    """A process that runs from the store is seen even without a record."""
    found = install(paths, service, "9.9.0")
    found.path.write_bytes(Path("/bin/sleep").read_bytes())
    with subprocess.Popen([found.path, "60"]) as process:
        assert store.prune(paths, everything=True)[0].kept_because == f"it is running (pid {process.pid})"
        process.kill()
    assert store.prune(paths, everything=True)[0].kept_because is None


def test_prune_removes_what_is_never_used(
    paths: Paths, service: DownloadService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A version without a receipt takes its room for nothing, be it the default one; other files are not ours."""
    monkeypatch.setattr(inventory, "DEFAULT_VERSION", "9.9.0")
    found = install(paths, service, "9.9.0")
    (found.path.parent / "receipt.json").write_text("{")
    (paths.store / "notes").mkdir()
    (paths.store / f"1.2.3-{current().key}").symlink_to(paths.store.parent)
    (planned,) = store.prune(paths, dry_run=True)
    assert (planned.version, planned.kept_because) == ("unknown", None)
    assert planned.size >= found.path.stat().st_size
    assert store.prune(paths) == [planned]
    assert sorted(path.name for path in paths.store.iterdir() if path.is_dir()) == [f"1.2.3-{current().key}", "notes"]


def test_prune_leaves_what_was_installed_while_it_looked(
    paths: Paths, service: DownloadService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was broken when it looked may be whole when it holds the lock."""
    receipt = install(paths, service, "9.9.0").path.parent / "receipt.json"
    whole = receipt.read_text()
    receipt.write_text("{")

    @contextlib.contextmanager
    def late(store: Path, key: str) -> Iterator[None]:
        receipt.write_text(whole)
        yield

    monkeypatch.setattr(install_lock, "lock_of", late)
    assert store.prune(paths)[0].kept_because == "another process has just installed it"
    assert versions(paths) == ["9.9.0"]


def test_prune_does_not_remove_what_it_may_not_ask_about(
    paths: Paths, service: DownloadService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the instances cannot be looked at, any version may be one of theirs."""
    install(paths, service, "9.9.0")
    paths.instances.mkdir(parents=True)
    paths.instances.chmod(0o777)
    with pytest.raises(UnsafeFolder):
        store.prune(paths, everything=True)
    assert versions(paths) == ["9.9.0"]


def test_an_executable_that_cannot_be_read_is_not_intact(
    paths: Paths, service: DownloadService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are hashed all the same."""
    install(paths, service, "9.9.0")

    def refuse(path: Path) -> str:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(inventory, "sha256_of", refuse)
    (verified,) = store.verify(paths)
    assert (verified.found, verified.intact) == (None, False)


def test_prune_leaves_what_is_being_installed(paths: Paths, service: DownloadService) -> None:
    """Whoever holds the lock is not disturbed."""
    install(paths, service, "9.9.0")
    with lock_of(paths.store, f"9.9.0-{current().key}"):
        assert store.prune(paths)[0].kept_because == "another process is installing it"
    assert versions(paths) == ["9.9.0"]


def test_a_version_to_keep_must_be_one(paths: Paths) -> None:
    """A mistyped `--keep` must not lead to a removal."""
    with pytest.raises(OptionError):
        store.prune(paths, keep=["ninety"])
