"""The folder of blobs: each payload is stored once, under the SHA-256 of its content, and verified on every read.

The path of a blob is `FOLDER/SERVER/ab/abcdef...`. Each server (by its cluster id) has a folder, because only its own
histories refer to the blobs in it. The format of a blob is in `blob_format`.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import DevServerError
from ..system.files import NO_ROOM, private_folder, sha256_of
from ..system.paths import Paths, whole
from .blob_files import check_digest, check_size, digest_of, read_blob, touch_blob, write_blob
from .blob_format import head_size
from .claims import ANY_SERVER, Claim
from .errors import PayloadCorrupt, PayloadError, PayloadFolderFull, PayloadFolderUnusable, PayloadMissing
from .limits import FolderQuota, format_size

VARIABLE = "DEVSERVER_PAYLOADS"


def default_folder(environ: Mapping[str, str] | None = None) -> Path:
    """`DEVSERVER_PAYLOADS`, or a folder in this user's data folder, which `DEVSERVER_HOME` moves.

    Raises:
        OptionError: The variable is not a path.
    """
    path = (os.environ if environ is None else environ).get(VARIABLE)
    return whole(Path(path)) if path else Paths.default(environ).payloads


@dataclass(frozen=True)
class Blob:
    """One blob of the folder; `stored` is when it was last stored, in seconds since 1970."""

    server: str
    digest: str
    size: int
    stored: float
    path: Path


class BlobFolder:
    """A folder of blobs. The first blob creates it.

    Args:
        folder: The path.
        sync: Whether a blob is on the disk (fsync) before a history can refer to it.
        max_size: The limit of all blobs together, in bytes; None is unlimited.
    """

    def __init__(self, folder: Path, *, sync: bool = True, max_size: int | None = None) -> None:
        self.folder = folder
        self._sync, self._max_size = sync, max_size
        self._quota = None if max_size is None else FolderQuota(folder, max_size, self.used_bytes)

    def __reduce__(self) -> tuple[Callable[..., BlobFolder], tuple[Any, ...]]:
        """Survive pickling: an activity may run in a process pool."""
        return _rebuild, (self.folder, self._sync, self._max_size)

    def path(self, server: str, digest: str) -> Path:
        """The path of a blob, also of one that is not stored."""
        return self.folder / server / digest[:2] / digest

    def put(self, server: str, head: bytes, data: bytes) -> Claim:
        """Store `head` and `data` as one blob, without a copy of `data`. Storing it again updates its time.

        Raises:
            PayloadFolderFull: The limit is reached, or the disk is full; no part of the blob is left.
            PayloadFolderUnusable: The folder cannot be written.
        """
        claim = Claim(digest_of(head, data), len(head) + len(data), server)
        path = self.path(server, claim.digest)
        try:
            if touch_blob(path, claim.size):
                return claim
            if self._quota is not None:
                self._quota.reserve(claim.size)
            private_folder(path.parent)
            write_blob(path, head, data, sync=self._sync)
        except PayloadError:
            raise
        except DevServerError as error:
            raise PayloadFolderUnusable(error.message, details=error.details, hint=error.hint) from None
        except OSError as error:
            raise _not_written(self.folder, claim.size, error) from error
        return claim

    def put_again(self, server: str, head: bytes, data: bytes) -> Claim | None:
        """As `put` for a blob that is stored already; None for one that is not."""
        claim = Claim(digest_of(head, data), len(head) + len(data), server)
        try:
            return claim if touch_blob(self.path(server, claim.digest), claim.size) else None
        except OSError as error:
            raise _not_written(self.folder, claim.size, error) from error

    def read(self, claim: Claim, *, verify: bool = True) -> tuple[bytes, bytes]:
        """Head and data of a blob; `verify` checks its SHA-256.

        Raises:
            PayloadMissing: The blob is not stored.
            PayloadCorrupt: The blob is not what was stored.
            PayloadFolderUnusable: The blob cannot be read.
        """
        path = self.path(claim.server, claim.digest)
        with self._read_errors(path, claim):
            head, data = read_blob(path)
            check_size(len(head) + len(data), claim.size)
            if verify:
                check_digest(digest_of(head, data), claim.digest)
        return head, data

    def read_start(self, claim: Claim, max_bytes: int) -> bytes:
        """The first bytes of a blob of the right size; its SHA-256 is not checked. Raises as `read` does."""
        path = self.path(claim.server, claim.digest)
        with self._read_errors(path, claim), path.open("rb", buffering=0) as file:
            check_size(os.fstat(file.fileno()).st_size, claim.size)
            start = file.read(max_bytes)
            head_size(start)
            return start

    def verify(self, claim: Claim) -> None:
        """Check a blob without keeping it in memory. Raises as `read` does."""
        path = self.path(claim.server, claim.digest)
        with self._read_errors(path, claim):
            check_size(path.stat(follow_symlinks=False).st_size, claim.size)
            check_digest(sha256_of(path), claim.digest)

    @contextlib.contextmanager
    def _read_errors(self, path: Path, claim: Claim) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise _missing(path, claim, self.folder) from None
        except ValueError as error:
            raise PayloadCorrupt(
                f"the payload {claim.digest[:12]} is corrupt: {error}",
                details=[str(path), *_owner_line(claim)],
                hint="restore the file from a backup, or delete it and start the workflow again",
            ) from None
        except OSError as error:
            raise PayloadFolderUnusable(
                f"cannot read the payload {claim.digest[:12]}: {error.strerror}",
                details=[str(path), *_owner_line(claim)],
                hint="check the permissions of the folder, and its disk",
            ) from error

    def used_bytes(self) -> int:
        """The size of all blobs together."""
        return sum(blob.size for blob in self.list())

    def servers(self) -> list[str]:
        """The servers that have blobs here.

        Raises:
            PayloadFolderUnusable: The folder cannot be read.
        """
        return [path.name for path in _children(self.folder) if path.is_dir()]

    def list(self, server: str | None = None) -> Iterator[Blob]:
        """The blobs of one server, or all blobs.

        Raises:
            PayloadFolderUnusable: The folder cannot be read.
        """
        for name in self.servers() if server is None else [server]:
            for part in _children(self.folder / name):
                for path in _children(part) if os.path.isdir(part) else ():  # noqa: PTH112 - never an error
                    with contextlib.suppress(OSError):  # just removed, or not a file of ours
                        status = path.stat()
                        yield Blob(name, path.name, status.st_size, status.st_mtime, path)


def _rebuild(folder: Path, sync: bool, max_size: int | None) -> BlobFolder:
    return BlobFolder(folder, sync=sync, max_size=max_size)


def _children(folder: Path) -> list[Path]:
    """The files and folders in a folder, sorted, without hidden ones."""
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except FileNotFoundError:  # nothing is stored yet, or it was just removed
        return []
    except OSError as error:
        raise PayloadFolderUnusable(
            f"cannot read the payload folder {folder}: {error.strerror}",
            hint="give the folder of LargePayloads with --folder or DEVSERVER_PAYLOADS",
        ) from error


def _owner_line(claim: Claim) -> list[str]:
    return [f"stored for {claim.owner}"] if claim.owner else []


def _not_written(folder: Path, size: int, error: OSError) -> PayloadFolderFull | PayloadFolderUnusable:
    if error.errno in NO_ROOM:
        return PayloadFolderFull(
            f"no room for a payload of {format_size(size)} in {folder}: {error.strerror}",
            hint="free some space, for example with devserver payloads prune; a retry then succeeds",
        )
    return PayloadFolderUnusable(
        f"cannot write to the payload folder {folder}: {error.strerror}",
        hint="check its permissions, or use another folder: LargePayloads(folder=...)",
    )


def _missing(path: Path, claim: Claim, folder: Path) -> PayloadMissing:
    hint = "this process needs the folder in which the payload was stored: the same LargePayloads(folder=...)"
    if (folder / claim.server).is_dir():
        hint = (
            "restore the file from a backup, or start the workflow again; it was deleted by hand or by "
            "devserver payloads prune --forget"
        )
    elif claim.server != ANY_SERVER:
        hint += " or DEVSERVER_HOME"
    return PayloadMissing(
        f"the payload {claim.digest[:12]} ({format_size(claim.size)}) is missing",
        details=[f"no file {path}", *_owner_line(claim)],
        hint=hint,
    )
