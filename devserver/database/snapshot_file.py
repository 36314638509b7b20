"""A snapshot as one file, for a colleague or CI: written, and opened without trusting it.

The file has no names and no paths to extract: a line that says what it is, a line of JSON (the manifest), and the
compressed database. What is in it is checked before it becomes a snapshot: its length, its SHA-256, that it is an
intact database of Temporal, and that the database runs nothing by itself.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat
import zlib
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import IO

from ..errors import DatabaseCorrupt, FolderNotWritable, OptionError
from ..system.files import CHUNK, private_folder
from ..system.progress import Reporter, Silent
from .catalog import DATABASE, Snapshot, check_name, write_metadata
from .errors import SnapshotFileDamaged
from .header import MAGIC
from .schema import OF_TEMPORAL, Schema
from .snapshot_manifest import SnapshotManifest, damaged, read_manifest
from .snapshots import LARGE, aside_folder, refuse_existing, remove_unfinished, unused_name
from .sqlite import connect, create_private, disk_full, integrity, our_errors, sync

LEVEL = 3  # twice as fast as the default, and hardly larger
_OWN_TRIGGER = re.compile(r"executions_visibility_a[iud]\Z")
_OWN_INDEX = re.compile(r"executions_visibility_fts_\w+\Z")


def export_snapshot(snapshot: Snapshot, file: Path, reporter: Reporter | None = None) -> int:
    """Write a snapshot into a new file, readable by this user only; the size of the file.

    Raises:
        OptionError: The file exists.
        SnapshotFileDamaged: The snapshot has changed since it was saved.
        FolderNotWritable: The file cannot be written; nothing is left of it.
    """
    if file.exists() or file.is_symlink():
        raise OptionError(f"{file} exists already", hint="choose another name, or remove it first")
    values = {key: value for key, value in asdict(snapshot).items() if key != "folder"}
    manifest = SnapshotManifest(**values)
    aside = file.with_name(f".{file.name}.{os.getpid()}-{os.urandom(4).hex()}.tmp")
    try:
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as target:
            target.write(manifest.head())
            _pack(snapshot, target, _progress(reporter, snapshot.size))
            target.flush()
            os.fsync(target.fileno())
            size = target.tell()
        aside.rename(file)
    except OSError as error:
        raise FolderNotWritable(
            f"cannot write {file}: {error.strerror}", hint="free some space, or choose another folder"
        ) from error
    finally:
        aside.unlink(missing_ok=True)
    return size


def _pack(snapshot: Snapshot, target: IO[bytes], reporter: Reporter) -> None:
    packer, digest, done = zlib.compressobj(LEVEL), hashlib.sha256(), 0
    with snapshot.database.open("rb") as source:
        while chunk := source.read(CHUNK):
            digest.update(chunk)
            target.write(packer.compress(chunk))
            done += len(chunk)
            reporter.progress(f"exporting {snapshot.name}", done, snapshot.size)
    target.write(packer.flush())
    if digest.hexdigest() != snapshot.sha256:
        raise SnapshotFileDamaged(
            f"the snapshot {snapshot.name} has changed since it was saved",
            details=[f"expected SHA-256 {snapshot.sha256}", f"found {digest.hexdigest()} in {snapshot.database}"],
            hint="export another one: devserver snapshot list shows them",
        )


def import_snapshot(file: Path, folder: Path, name: str | None = None, reporter: Reporter | None = None) -> Snapshot:
    """Check a file of `export_snapshot`, and add what is in it to the snapshots in `folder`.

    Without a name it has the one that it was exported with, with a number behind it if there is one of that name.

    Raises:
        SnapshotFileDamaged: It is no such file, is truncated or was changed; nothing is left of it.
        SnapshotFileTooNew: A newer devserver wrote it.
        SnapshotExists: One of that name is there.
        DatabaseError: There is no room for it.
    """
    if name is not None:
        check_name(name)
    with _opened(file) as source:
        manifest = read_manifest(source, file)
        private_folder(folder)
        chosen = unused_name(folder, manifest.name) if name is None else name
        refuse_existing(folder, chosen)
        remove_unfinished(folder)
        with aside_folder(folder, chosen) as aside:
            target = aside / DATABASE
            if shutil.disk_usage(aside).free < manifest.size:
                raise disk_full(target, f"{manifest.size} bytes are needed")
            with our_errors(target):
                create_private(target)
                _unpack(source, file, manifest, target, _progress(reporter, manifest.size))
            _check_database(target, file)
            sync(target)
            values = replace(manifest, name=chosen)
            snapshot = Snapshot(**asdict(values), folder=folder / chosen)
            write_metadata(aside, snapshot)
    return snapshot


def _progress(reporter: Reporter | None, size: int) -> Reporter:
    """Where to report progress: nowhere for a small file."""
    return reporter if reporter is not None and size >= LARGE else Silent()


def _opened(file: Path) -> IO[bytes]:
    """The open file; a pipe or a device would never end."""
    try:
        source = os.fdopen(os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb")
        if stat.S_ISREG(os.fstat(source.fileno()).st_mode):
            return source
        source.close()
    except OSError as error:
        raise OptionError(f"cannot read {file}: {error.strerror}", hint="give a file of snapshot export") from error
    raise OptionError(f"{file} is not a regular file", hint="give a file of snapshot export")


def _unpack(source: IO[bytes], file: Path, manifest: SnapshotManifest, target: Path, reporter: Reporter) -> None:
    """Write the database, never more of it than the manifest says."""
    digest, done = hashlib.sha256(), 0
    with target.open("wb") as database:
        for chunk in _plain(source, file):
            if not done and not chunk.startswith(MAGIC[: len(chunk)]):
                raise damaged(file, "what is in it is not an SQLite database")
            done += len(chunk)
            if done > manifest.size:
                raise damaged(file, "it has more data than it declares", f"declared: {manifest.size} bytes")
            digest.update(chunk)
            database.write(chunk)
            reporter.progress(f"importing {manifest.name}", done, manifest.size)
    if done != manifest.size:
        raise damaged(file, "it is truncated", f"{done} of {manifest.size} bytes")
    if digest.hexdigest() != manifest.sha256:
        raise damaged(file, "it has changed since it was exported", f"SHA-256 {digest.hexdigest()}")


def _plain(source: IO[bytes], file: Path) -> Iterator[bytes]:
    """The decompressed data in pieces of a bounded size."""
    unpacker = zlib.decompressobj()
    try:
        while not unpacker.eof:
            packed = unpacker.unconsumed_tail or source.read(CHUNK)
            if not packed:
                return  # truncated: the caller counts
            chunk = unpacker.decompress(packed, CHUNK)
            if chunk:
                yield chunk
    except zlib.error as error:
        raise damaged(file, "it is damaged", str(error)) from None
    if unpacker.unused_data or source.read(1):
        raise damaged(file, "it has data after its end")


def _check_database(database: Path, file: Path) -> None:
    try:
        with connect(database, "immutable") as connection:
            rows = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
            for kind, name, table, sql in rows:
                own = table == "executions_visibility" and _OWN_TRIGGER.match(name)
                virtual = kind == "table" and str(sql).lower().startswith("create virtual")
                if kind == "view" or (kind == "trigger" and not own) or (virtual and not _OWN_INDEX.match(name)):
                    raise damaged(file, f"the database in it has a {kind} {name}, which Temporal's do not have")
            found = integrity(connection)
            if not Schema.read(connection).columns.keys() >= OF_TEMPORAL:
                raise damaged(file, "the database in it is not one of Temporal")
    except DatabaseCorrupt as error:
        raise damaged(file, "the database in it is damaged", error.message.rpartition(": ")[2]) from None
    if found:
        raise damaged(file, "the database in it is damaged", *found[:3])
