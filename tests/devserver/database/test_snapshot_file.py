"""Exported snapshots: what comes back is the same, and a file that was made to do harm changes nothing."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import zlib
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from devserver.database import export_snapshot, import_snapshot, snapshot_file, snapshots
from devserver.database.errors import SnapshotExists, SnapshotFileDamaged, SnapshotFileTooNew
from devserver.database.snapshot_manifest import FORM, KIND
from devserver.errors import DatabaseError, FolderNotWritable, OptionError
from devserver.system.files import sha256_of

from .conftest import SERVER

Progress = list[tuple[str, int, int | None]]


class Recorder:
    """Records progress."""

    def __init__(self) -> None:
        self.seen: Progress = []

    def note(self, text: str) -> None:
        """Do nothing."""

    def warn(self, text: str) -> None:
        """Do nothing."""

    def progress(self, what: str, done: int, total: int | None) -> None:
        """Record it."""
        self.seen.append((what, done, total))


@pytest.fixture
def saved(db: Path, tmp_path: Path) -> snapshots.Snapshot:
    """A snapshot of an empty database of the real server."""
    return snapshots.save(db, tmp_path / "saved", "demo", server_version=SERVER, cli_version="1.9.1", instance="a")


@pytest.fixture
def exported(saved: snapshots.Snapshot, tmp_path: Path) -> Path:
    """The same as a file."""
    file = tmp_path / "demo.snapshot"
    export_snapshot(saved, file)
    return file


def parts(file: Path) -> tuple[dict[str, Any], bytes]:
    """The manifest and the database of a file."""
    _, manifest, packed = file.read_bytes().split(b"\n", 2)
    return json.loads(manifest), zlib.decompress(packed)


def packed(manifest: dict[str, Any], database: bytes, kind: bytes = KIND + b"%d" % FORM) -> bytes:
    """A file as someone else might make it."""
    return kind + b"\n" + json.dumps(manifest).encode() + b"\n" + zlib.compress(database)


def with_sql(exported: Path, tmp_path: Path, sql: str) -> bytes:
    """A file whose database has more in it, with the right length and hash."""
    manifest, database = parts(exported)
    path = tmp_path / "changed.db"
    path.write_bytes(database)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(sql)
    return packed({**manifest, "size": path.stat().st_size, "sha256": sha256_of(path)}, path.read_bytes())


def test_there_and_back(saved: snapshots.Snapshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same database with the same record, in a private file that is smaller; progress of large ones is reported."""
    monkeypatch.setattr(snapshot_file, "LARGE", saved.size)
    file, recorder = tmp_path / "demo.snapshot", Recorder()
    size = export_snapshot(saved, file, recorder)
    assert (file.stat().st_size, file.stat().st_mode & 0o777) == (size, 0o600)
    assert size < saved.size / 3
    found = import_snapshot(file, tmp_path / "imported", reporter=recorder)
    assert found == replace(saved, folder=tmp_path / "imported" / "demo")
    assert found.database.read_bytes() == saved.database.read_bytes()
    assert snapshots.list_(tmp_path / "imported") == [found]
    assert [(what, done) for what, done, total in recorder.seen if done == total] == [
        ("exporting demo", saved.size),
        ("importing demo", saved.size),
    ]
    assert sorted(path.name for path in file.parent.iterdir() if path.name.startswith(".")) == []


def test_names(exported: Path, tmp_path: Path) -> None:
    """A second import gets a number; a name that is given has to be free and valid."""
    folder = tmp_path / "imported"
    names = [import_snapshot(exported, folder, name).name for name in (None, None, "mine")]
    assert names == ["demo", "demo-2", "mine"]
    with pytest.raises(SnapshotExists):
        import_snapshot(exported, folder, "mine")
    with pytest.raises(OptionError, match="not a valid snapshot name"):
        import_snapshot(exported, folder, "../mine")
    assert len(snapshots.list_(folder)) == 3


def test_a_file_that_exists_is_not_overwritten(saved: snapshots.Snapshot, exported: Path, tmp_path: Path) -> None:
    """Also not one that a link names."""
    before = exported.read_bytes()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for file in (exported, tmp_path / "link", tmp_path):
        with pytest.raises(OptionError, match="exists already"):
            export_snapshot(saved, file)
    assert exported.read_bytes() == before
    with pytest.raises(FolderNotWritable, match="cannot write"):
        export_snapshot(saved, tmp_path / "nowhere" / "demo.snapshot")


def test_a_snapshot_that_has_changed_is_not_exported(saved: snapshots.Snapshot, tmp_path: Path) -> None:
    """The colleague would only find it out."""
    with saved.database.open("r+b") as file:
        file.seek(5000)
        file.write(b"changed")
    with pytest.raises(SnapshotFileDamaged, match="has changed since it was saved"):
        export_snapshot(saved, tmp_path / "demo.snapshot")
    assert not (tmp_path / "demo.snapshot").exists()


def _with(**changes: Any) -> Callable[[Path, Path], bytes]:
    return lambda file, _: packed({**parts(file)[0], **changes}, parts(file)[1])


def _bytes(change: Callable[[bytes], bytes]) -> Callable[[Path, Path], bytes]:
    return lambda file, _: change(file.read_bytes())


def _sql(text: str) -> Callable[[Path, Path], bytes]:
    return lambda file, folder: with_sql(file, folder, text)


HOSTILE: dict[str, tuple[Callable[[Path, Path], bytes], str]] = {
    "empty": (_bytes(lambda data: b""), "not a file of `devserver snapshot export`"),
    "zip": (_bytes(lambda data: b"PK\x03\x04" + data), "not a file of `devserver snapshot export`"),
    "first line only": (_bytes(lambda data: data[:28]), "cannot be read|not a file"),
    "no end of line": (_bytes(lambda data: data[:29] + b"x" * 10**6), "not a file|cannot be read"),
    "manifest is a list": (_bytes(lambda data: data.replace(b"{", b"[{", 1).replace(b"}", b"}]", 1)), "manifest"),
    "path as name": (_with(name="../../evil"), "its manifest cannot be read"),
    "path as instance": (_with(instance="../evil"), "its manifest cannot be read"),
    "control characters": (_with(server_version="1\x1b[31m"), "its manifest cannot be read"),
    "negative size": (_with(size=-1), "its manifest cannot be read"),
    "size is a text": (_with(size="9"), "its manifest cannot be read"),
    "huge declared size": (_with(size=10**15), "it is truncated"),
    "smaller declared size": (_with(size=4096), "it has more data than it declares"),
    "larger declared size": (lambda file, _: _larger(file), "it is truncated"),
    "wrong hash": (_with(sha256="0" * 64), "it has changed since it was exported"),
    "truncated": (_bytes(lambda data: data[: len(data) // 2]), "it is truncated"),
    "one byte changed": (
        _bytes(lambda data: data[:5000] + b"\xff" + data[5001:]),
        "damaged|changed|truncated|declares",
    ),
    "data after the end": (_bytes(lambda data: data + b"more"), "it has data after its end"),
    "bomb": (lambda file, _: packed(parts(file)[0], parts(file)[1] + bytes(10**8)), "more data than it declares"),
    "not a database": (lambda file, _: _text(file), "not an SQLite database"),
    "trigger": (
        _sql("CREATE TRIGGER evil AFTER INSERT ON executions BEGIN DELETE FROM executions; END"),
        "has a trigger evil",
    ),
    "view": (_sql("CREATE VIEW evil AS SELECT 1"), "has a view evil"),
    "virtual table": (_sql("CREATE VIRTUAL TABLE evil USING fts5 (x)"), "has a table evil"),
    "damaged database": (lambda file, _: _scribbled(file), "the database in it is damaged"),
    "another program's": (_sql("DROP TABLE namespaces"), "not one of Temporal"),
}


def _larger(file: Path) -> bytes:
    manifest, database = parts(file)
    return packed({**manifest, "size": manifest["size"] + 1}, database)


def _scribbled(file: Path) -> bytes:
    manifest, database = parts(file)
    changed = database[:4096] + bytes(range(256)) * 16 + database[8192:]
    return packed({**manifest, "sha256": hashlib.sha256(changed).hexdigest()}, changed)


def _text(file: Path) -> bytes:
    manifest, database = parts(file)
    return packed(manifest, b"x" * len(database))


@pytest.mark.parametrize("case", HOSTILE)
def test_a_file_that_is_not_right_changes_nothing(case: str, exported: Path, tmp_path: Path) -> None:
    """The error names the file and says what is wrong; the snapshots are as before, and nothing is left behind."""
    make, message = HOSTILE[case]
    folder = tmp_path / "imported"
    import_snapshot(exported, folder)
    bad = tmp_path / "bad.snapshot"
    bad.write_bytes(make(exported, tmp_path))
    with pytest.raises(SnapshotFileDamaged, match=message) as caught:
        import_snapshot(bad, folder)
    assert str(bad) in caught.value.message
    assert "nothing was changed" in caught.value.details
    assert [path.name for path in folder.iterdir()] == ["demo"]


def test_a_file_of_a_newer_devserver(exported: Path, tmp_path: Path) -> None:
    """The error says which forms the two have, and that nothing was changed."""
    exported.write_bytes(exported.read_bytes().replace(KIND + b"1", KIND + b"2", 1))
    with pytest.raises(SnapshotFileTooNew, match="was written by a newer devserver") as caught:
        import_snapshot(exported, tmp_path / "imported")
    assert caught.value.details == ("it has form 2, and this devserver reads form 1", "nothing was changed")
    assert not (tmp_path / "imported").exists()


def test_keys_that_a_newer_devserver_added_are_ignored(exported: Path, tmp_path: Path) -> None:
    """Within one form, keys are only added."""
    manifest, database = parts(exported)
    exported.write_bytes(packed({**manifest, "colour": "blue"}, database))
    assert import_snapshot(exported, tmp_path / "imported").name == "demo"


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    """A pipe would block, and a device would never end."""
    os.mkfifo(tmp_path / "pipe")
    for file in (tmp_path / "pipe", Path("/dev/zero"), tmp_path):
        with pytest.raises(OptionError, match=r"not a regular file|cannot read"):
            import_snapshot(file, tmp_path / "imported")
    with pytest.raises(OptionError, match="No such file"):
        import_snapshot(tmp_path / "nothing", tmp_path / "imported")


def test_a_disk_without_room(exported: Path, small_disk: Path) -> None:
    """It is said before anything is written."""
    with (small_disk / "filler").open("wb") as filler:
        filler.write(bytes(int(2.8 * 1024 * 1024)))
    with pytest.raises(DatabaseError, match="no room to write"):
        import_snapshot(exported, small_disk / "imported")
    assert list((small_disk / "imported").iterdir()) == []
