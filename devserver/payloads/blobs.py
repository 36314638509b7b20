"""The folder of blobs: each is stored once under the SHA-256 of what it holds, whole or not at all, and verified on
every read.

`FOLDER/SERVER/ab/abcdef...`: a folder per server (its cluster id), because only that server's histories refer to what
is in it. A blob is a serialized `temporal.api.common.v1.Payload` whose data come last (see `wire`).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import DevServerError
from ..system.files import CHUNK, NO_ROOM, private_folder, sha256_of
from ..system.paths import Paths, whole
from .blob_files import _OPEN, ASIDE, _check, _read, _sync_folder, _touch, digest_of
from .blob_format import split_head
from .claims import ANY_SERVER, Claim
from .errors import PayloadCorrupt, PayloadError, PayloadFolderFull, PayloadFolderUnusable, PayloadMissing
from .limits import FolderQuota, format_size


@dataclass(frozen=True)
class Blob:
    """One blob as the folder lists it; `stored` is when it was last stored, in seconds since 1970."""

    server: str
    digest: str
    size: int
    stored: float
    path: Path


class BlobFolder:
    """Blobs below one folder, which is made when the first is stored.

    Args:
        folder: Where.
        sync: Whether a blob is on the disk (fsync) before a history can refer to it.
        most: How many bytes all blobs may have; None is no limit.
    """

    def __init__(self, folder: Path, *, sync: bool = True, most: int | None = None) -> None:
        self.folder = folder
        self._sync, self._most = sync, most
        self._room = None if most is None else FolderQuota(folder, most, self.held)

    def __reduce__(self) -> tuple[Callable[..., BlobFolder], tuple[Any, ...]]:
        """Survive pickling: an activity may run in a process of a pool."""
        return (_again, (self.folder, self._sync, self._most))

    def path(self, server: str, digest: str) -> Path:
        """Where a blob is or would be."""
        return self.folder / server / digest[:2] / digest

    def put(self, server: str, head: bytes, data: bytes) -> Claim:
        """Store `head` and `data` as one blob, or note that it was stored again. Takes no copy of `data`.

        Raises:
            PayloadFolderFull: The limit is reached, or the disk is full; nothing half-written is left.
            PayloadFolderUnusable: The folder cannot be written.
        """
        claim = Claim(digest_of(head, data), len(head) + len(data), server)
        path = self.path(server, claim.digest)
        try:
            if _touch(path, claim.size):
                return claim
            if self._room is not None:
                self._room.take(claim.size)
            private_folder(path.parent)
            self._write(path, head, data)
        except PayloadError:
            raise
        except DevServerError as error:
            raise PayloadFolderUnusable(error.message, details=error.details, hint=error.hint) from None
        except OSError as error:
            raise _not_written(self.folder, claim.size, error) from error
        return claim

    def put_again(self, server: str, head: bytes, data: bytes) -> Claim | None:
        """As `put`, where the blob is there already; None where it would have to be written."""
        claim = Claim(digest_of(head, data), len(head) + len(data), server)
        try:
            return claim if _touch(self.path(server, claim.digest), claim.size) else None
        except OSError as error:
            raise _not_written(self.folder, claim.size, error) from error

    def _write(self, path: Path, head: bytes, data: bytes) -> None:
        aside = path.with_name(f".{path.name[:16]}.{os.getpid()}-{os.urandom(4).hex()}{ASIDE}")
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _OPEN, 0o600)
        try:
            with os.fdopen(descriptor, "wb", buffering=0) as file:
                for part in (head, data):
                    view = memoryview(part)
                    while view:
                        view = view[file.write(view[: 64 * CHUNK]) :]
                if self._sync:
                    os.fsync(file.fileno())
            aside.replace(path)
            if self._sync:
                _sync_folder(path.parent)
        except OSError:
            with contextlib.suppress(OSError):
                aside.unlink()
            raise

    def read(self, claim: Claim, *, verify: bool = True) -> tuple[bytes, bytes]:
        """What was stored, head and data, once its hash is seen to be right.

        Raises:
            PayloadMissing: It is not there.
            PayloadCorrupt: It is not what was stored.
            PayloadFolderUnusable: It is there and cannot be read.
        """
        path = self.path(claim.server, claim.digest)
        with self._told(path, claim):
            head, data = _read(path)
            _check(len(head) + len(data), claim.size)
            if verify:
                _check(digest_of(head, data), claim.digest)
        return head, data

    def start(self, claim: Claim, most: int) -> bytes:
        """The first bytes of a blob, whose size is right; nothing more is verified. Raises as `read` does."""
        path = self.path(claim.server, claim.digest)
        with self._told(path, claim), path.open("rb", buffering=0) as file:
            _check(os.fstat(file.fileno()).st_size, claim.size)
            start = file.read(most)
            split_head(start)
            return start

    def verify(self, claim: Claim) -> None:
        """As `read`, and keeps nothing of it in memory."""
        path = self.path(claim.server, claim.digest)
        with self._told(path, claim):
            _check(path.stat(follow_symlinks=False).st_size, claim.size)
            _check(sha256_of(path), claim.digest)

    @contextlib.contextmanager
    def _told(self, path: Path, claim: Claim) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise _missing(path, claim, self.folder) from None
        except ValueError as error:
            raise _corrupt(path, claim, str(error)) from None
        except OSError as error:
            raise PayloadFolderUnusable(
                f"the payload {claim.digest[:12]} cannot be read: {error.strerror}",
                details=[str(path), *_owner(claim)],
                hint="see that this user may read the folder and that its disk is well",
            ) from error

    def held(self) -> int:
        """How many bytes all blobs have."""
        return sum(blob.size for blob in self.list())

    def servers(self) -> list[str]:
        """The servers that have a folder here.

        Raises:
            PayloadFolderUnusable: The folder cannot be read.
        """
        return sorted(each.name for each in _folders(self.folder))

    def list(self, server: str | None = None) -> Iterator[Blob]:
        """The blobs of one server, or of all.

        Raises:
            PayloadFolderUnusable: The folder cannot be read.
        """
        for name in self.servers() if server is None else [server]:
            for part in _folders(self.folder / name):
                for path in _inside(part):
                    with contextlib.suppress(FileNotFoundError):
                        info = path.stat()
                        yield Blob(name, path.name, info.st_size, info.st_mtime, path)


def _again(folder: Path, sync: bool, most: int | None) -> BlobFolder:
    return BlobFolder(folder, sync=sync, most=most)


def _folders(folder: Path) -> list[Path]:
    return _inside(folder, Path.is_dir)


def _inside(folder: Path, wanted: Callable[[Path], bool] = lambda _: True) -> list[Path]:
    try:
        return sorted(each for each in folder.iterdir() if not each.name.startswith(".") and wanted(each))
    except FileNotFoundError:  # nothing was stored yet, or it was removed meanwhile
        return []
    except OSError as error:
        raise PayloadFolderUnusable(
            f"the payload folder {folder} cannot be read: {error.strerror}",
            hint="name the folder that LargePayloads uses, with --folder or DEVSERVER_PAYLOADS",
        ) from error


def _owner(claim: Claim) -> list[str]:
    return [f"stored for {claim.owner}"] if claim.owner else []


def _not_written(folder: Path, size: int, error: OSError) -> PayloadFolderFull | PayloadFolderUnusable:
    if error.errno in NO_ROOM:
        return PayloadFolderFull(
            f"no room for a payload of {format_size(size)} in {folder}: {error.strerror}",
            hint="free some space (devserver payloads prune), then the activity's or workflow task's retry goes on",
        )
    return PayloadFolderUnusable(
        f"the payload folder {folder} cannot be written: {error.strerror}",
        hint="see that this user may write to it, or name another one: LargePayloads(folder=...)",
    )


def _missing(path: Path, claim: Claim, folder: Path) -> PayloadMissing:
    hint = "this process needs the folder that the payload was stored in: the same LargePayloads(folder=...)"
    if (folder / claim.server).is_dir():
        hint = (
            "put the file back from a backup, or start the workflow anew; it was deleted by hand, or by prune --force"
        )
    elif claim.server != ANY_SERVER:
        hint += " or DEVSERVER_HOME"
    return PayloadMissing(
        f"the payload {claim.digest[:12]} ({format_size(claim.size)}) is missing",
        details=[f"no file {path}", *_owner(claim)],
        hint=hint,
    )


def _corrupt(path: Path, claim: Claim, found: str) -> PayloadCorrupt:
    return PayloadCorrupt(
        f"the payload {claim.digest[:12]} is corrupt: {found}",
        details=[str(path), *_owner(claim)],
        hint="put the file back from a backup, or delete it and start the workflow anew",
    )


VARIABLE = "DEVSERVER_PAYLOADS"


def default_folder(environ: Mapping[str, str] | None = None) -> Path:
    """`DEVSERVER_PAYLOADS`, or a folder of this user's data, which follows `DEVSERVER_HOME`.

    Raises:
        OptionError: The variable leads nowhere.
    """
    chosen = (os.environ if environ is None else environ).get(VARIABLE)
    return whole(Path(chosen)) if chosen else Paths.default(environ).payloads
