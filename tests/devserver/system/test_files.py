"""Private folders and files."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from devserver.errors import FolderNotWritable, UnsafeFolder
from devserver.system.files import private_folder, refuse_unsafe, write_private


def mode(path: Path) -> int:
    """Return the permissions."""
    return stat.S_IMODE(path.stat().st_mode)


def test_folders_are_private(tmp_path: Path) -> None:
    """All created folders are private, whatever the umask is."""
    before = os.umask(0)
    try:
        private_folder(tmp_path / "a" / "b")
    finally:
        os.umask(before)
    assert [mode(tmp_path / "a"), mode(tmp_path / "a" / "b")] == [0o700, 0o700]


@pytest.mark.parametrize("bits", [0o777, 0o770, 0o702])
def test_a_folder_writable_by_others_is_refused(tmp_path: Path, bits: int) -> None:
    """The error has its mode and the command that fixes it."""
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(bits)
    with pytest.raises(UnsafeFolder) as error:
        private_folder(folder)
    assert str(error.value) == (f"other users may write to {folder} (mode {bits:04o})\nhint: run: chmod 700 {folder}")


def test_a_folder_readable_by_others_is_accepted(tmp_path: Path) -> None:
    """You may want that; only writing could change what is executed."""
    folder = tmp_path / "readable"
    folder.mkdir()
    folder.chmod(0o755)
    assert private_folder(folder) == folder


def test_a_folder_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names both users, and the reason."""
    owner = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: owner + 1)
    with pytest.raises(UnsafeFolder) as error:
        private_folder(tmp_path)
    assert error.value.message == f"{tmp_path} belongs to user {owner}, not to you (user {owner + 1})"
    assert "DEVSERVER_HOME" in str(error.value.hint)


def test_a_file_in_place_of_a_folder(tmp_path: Path) -> None:
    """The error says that it is not a folder."""
    (tmp_path / "x").write_text("")
    for path in (tmp_path / "x", tmp_path / "x" / "y"):
        with pytest.raises(FolderNotWritable) as error:
            private_folder(path)
        assert error.value.message.startswith(f"cannot create the folder {path}: ")


def test_a_missing_folder_is_accepted(tmp_path: Path) -> None:
    """It will be created private."""
    refuse_unsafe(tmp_path / "nix")


def test_a_file_is_written_privately_and_atomically(tmp_path: Path) -> None:
    """An existing file is replaced, not written into, whatever the umask is."""
    path = tmp_path / "x"
    path.write_text("old")
    path.chmod(0o644)
    with path.open() as old:
        before = os.umask(0)
        try:
            write_private(path, "new")
        finally:
            os.umask(before)
        assert old.read() == "old"
    assert (path.read_text(), mode(path)) == ("new", 0o600)
    assert [entry.name for entry in tmp_path.iterdir() if entry.is_file()] == ["x"]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No partial content is visible, and no temporary file is left."""
    path = tmp_path / "x"
    write_private(path, "old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(FolderNotWritable) as error:
        write_private(path, "new")
    assert error.value.message == f"cannot write {path}: No space left on device"
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir() if entry.is_file()] == ["x"]


def test_a_link_at_the_temporary_file_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An attacker who guesses the temporary name cannot redirect the write."""
    monkeypatch.setattr(os, "urandom", bytes)
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / f".file.{os.getpid()}-00000000.tmp").symlink_to(victim)
    with pytest.raises(FolderNotWritable):
        write_private(tmp_path / "file", "new")
    assert victim.read_text() == "precious"


def test_temporary_names_are_unique(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two threads that write the same file do not share a temporary file."""
    opened: list[str] = []
    real = os.open

    def remember(path: str, flags: int, mode: int) -> int:
        opened.append(str(path))
        return real(path, flags, mode)

    monkeypatch.setattr(os, "open", remember)
    write_private(tmp_path / "file", "one")
    write_private(tmp_path / "file", "two")
    assert len(set(opened)) == 2
