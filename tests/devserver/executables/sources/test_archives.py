"""Archives that want to write elsewhere, that are cut, or that lie."""

from __future__ import annotations

import contextlib
import gzip
import tarfile
from pathlib import Path

import pytest

from devserver.errors import ArchiveError
from devserver.executables.sources import archives
from tests.helpers.download_service import script, tar_gz, zipped

GOOD = tar_gz(("README.md", b"text"), ("./temporal", script()), ("after", b"x" * 100_000))
GOOD_ZIP = zipped(("README.md", b"text"), ("temporal", script()))


def extract(folder: Path, content: bytes, member: str = "temporal") -> bytes:
    """What `extract` writes."""
    (folder / "archive").write_bytes(content)
    archives.extract(folder / "archive", member, folder / "target")
    return (folder / "target").read_bytes()


@pytest.mark.parametrize("content", [GOOD, GOOD_ZIP], ids=["tar.gz", "zip"])
def test_only_the_named_file_is_extracted(tmp_path: Path, content: bytes) -> None:
    """tar.gz and zip are told by their first bytes; other members are left alone."""
    assert extract(tmp_path, content) == script()
    assert sorted(p.name for p in tmp_path.iterdir() if p.is_file()) == ["archive", "target"]


def test_a_member_in_a_folder_may_be_named(tmp_path: Path) -> None:
    """Mirrors may keep the executable in a folder of the archive."""
    assert extract(tmp_path, tar_gz(("bin/temporal", script())), "bin/temporal") == script()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (GOOD[: len(GOOD) // 2], "truncated or damaged"),
        (GOOD[:-8], "truncated or damaged"),
        (GOOD[:-8] + b"\0" * 8, "truncated or damaged"),
        (gzip.compress(b"no tar at all" * 100), "truncated or damaged"),
        (GOOD_ZIP[: len(GOOD_ZIP) // 2], "truncated or damaged"),
        (GOOD_ZIP[:80] + b"?????" + GOOD_ZIP[85:], "truncated or damaged"),
        (b"", "neither tar.gz nor zip"),
        (b"<html>", "neither tar.gz nor zip"),
        (tar_gz(("other", b"x")), "contains no temporal"),
        (zipped(("other", b"x")), "contains 0 files named temporal"),
        (tar_gz(("temporal", b""), kind=tarfile.SYMTYPE, link="/bin/sh"), "not one regular file"),
        (tar_gz(("temporal", b""), kind=tarfile.LNKTYPE, link="other"), "not one regular file"),
        (tar_gz(("temporal", b""), kind=tarfile.DIRTYPE), "not one regular file"),
        (tar_gz(("temporal", b""), kind=tarfile.FIFOTYPE), "not one regular file"),
        (tar_gz(("temporal", b"1"), ("temporal", b"2")), "not one regular file"),
        (zipped(("temporal", b"/bin/sh"), mode=0o120777), "not a regular file"),
        (tar_gz(("../evil", b"x"), ("temporal", script())), "unsafe path"),
        (tar_gz(("/etc/evil", b"x"), ("temporal", script())), "unsafe path"),
        (zipped(("a/../../evil", b"x"), ("temporal", script())), "unsafe path"),
        (zipped(("..\\evil", b"x"), ("temporal", script())), "unsafe path"),
        (zipped(("C:\\evil", b"x"), ("temporal", script())), "unsafe path"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",  # an archive holds the time it was made
)
def test_an_archive_that_cannot_be_trusted_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    """Each kind of bad archive is told from the others."""
    with pytest.raises(ArchiveError, match=reason):
        extract(tmp_path, content)


@pytest.mark.parametrize("member", ["../../evil", "/etc/evil", "", "..", "a\\..\\..\\evil"])
def test_the_service_cannot_name_a_file_outside(tmp_path: Path, member: str) -> None:
    """`fileToExtract` is not trusted either."""
    with pytest.raises(ArchiveError, match="unsafe path"):
        extract(tmp_path, GOOD, member)


@pytest.mark.parametrize(
    "content",
    [
        tar_gz(("temporal", b"0" * 100_000)),
        tar_gz(("temporal", script()), ("other", b"0" * 100_000)),
        zipped(("temporal", b"0" * 100_000)),
        tar_gz(("temporal", script())) + gzip.compress(b"0" * 100_000),
    ],
    ids=lambda value: value if isinstance(value, str) else "",  # an archive holds the time it was made
)
def test_an_archive_that_unpacks_without_end_is_refused(
    tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is a limit to what is written, to what is skipped, and to what follows."""
    monkeypatch.setattr(archives, "MOST_BYTES", 20_000)
    monkeypatch.setattr(archives, "CHUNK", 1_000)
    with pytest.raises(ArchiveError, match="larger than"):
        extract(tmp_path, content)


@pytest.mark.parametrize("good", [GOOD, GOOD_ZIP], ids=["tar.gz", "zip"])
def test_a_byte_that_differs_anywhere_is_never_a_bug_of_ours(tmp_path: Path, good: bytes) -> None:
    """Whatever a damaged archive claims (to be encrypted, packed in another way), it is refused or still whole."""
    step = max(1, len(good) // 400)
    for place in range(2, len(good), step):
        damaged = bytearray(good)
        damaged[place] ^= 0xFF
        folder = tmp_path / str(place)
        folder.mkdir()
        with contextlib.suppress(ArchiveError):
            assert extract(folder, bytes(damaged)) == script()
