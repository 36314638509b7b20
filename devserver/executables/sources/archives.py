"""Extract one file from a tar.gz or zip archive, without trusting the archive."""

from __future__ import annotations

import errno
import gzip
import lzma
import stat
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO

from ...errors import ArchiveError

MOST_BYTES = 1 << 30
CHUNK = 1 << 20
# What the standard library raises for archives that are truncated, damaged, encrypted or compressed in a rare way.
_UNREADABLE = (
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OverflowError,
    gzip.BadGzipFile,
    lzma.LZMAError,
    struct.error,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
)


def extract(archive: Path, member: str, target: Path) -> None:
    """Write the regular file `member` of `archive` to `target`. Nothing else is extracted.

    The first bytes decide the kind of archive. Every byte is read, so that the archive's own checksum is checked.

    Raises:
        ArchiveError: The archive is truncated, damaged, or neither tar.gz nor zip; or the file is missing, is a link or
            has an unsafe path.
    """
    _refuse_unsafe_name(member)
    with archive.open("rb") as file:
        start = file.read(4)
    try:
        if start.startswith(b"\x1f\x8b"):
            _from_tar(archive, member, target)
        elif start.startswith(b"PK"):
            _from_zip(archive, member, target)
        else:
            raise _error("it is neither tar.gz nor zip", f"it starts with {start!r}")
    except _UNREADABLE as error:
        raise _error("it is truncated or damaged", str(error)) from error
    except OSError as error:
        if error.errno != errno.EINVAL:  # from seeking to an offset in a damaged zip
            raise
        raise _error("it is truncated or damaged", "an offset is outside the file") from error


def _from_tar(archive: Path, member: str, target: Path) -> None:
    found, rest = False, MOST_BYTES
    with gzip.open(archive) as plain, tarfile.open(fileobj=plain, mode="r|") as tar:
        for info in tar:
            _refuse_unsafe_name(info.name)
            rest -= info.size
            if rest < 0:
                raise _error(f"its content is larger than {MOST_BYTES >> 20} MiB")
            if info.name.removeprefix("./") != member:
                continue
            if not info.isreg() or found:
                raise _error(f"{member} in it is not one regular file", f"type {info.type!r}")
            source = tar.extractfile(info)
            if source is None:
                raise _error(f"{member} in it cannot be read")
            _copy(source, target)
            found = True
        while plain.read(CHUNK):  # to the end, where gzip has its checksum
            rest -= CHUNK
            if rest < 0:
                raise _error(f"its content is larger than {MOST_BYTES >> 20} MiB")
    if not found:
        raise _error(f"it contains no {member}")


def _from_zip(archive: Path, member: str, target: Path) -> None:
    with zipfile.ZipFile(archive) as file:
        names = file.namelist()
        for name in names:
            _refuse_unsafe_name(name)
        if names.count(member) != 1:
            raise _error(f"it contains {names.count(member)} files named {member}", f"content: {names[:10]}")
        info = file.getinfo(member)
        mode = info.external_attr >> 16
        if info.is_dir() or (mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG)):
            raise _error(f"{member} in it is not a regular file")
        with file.open(info) as source:
            _copy(source, target)


def _copy(source: IO[bytes], target: Path) -> None:
    with target.open("xb") as sink:
        while chunk := source.read(CHUNK):
            if sink.tell() + len(chunk) > MOST_BYTES:
                raise _error(f"the file in it is larger than {MOST_BYTES >> 20} MiB")
            sink.write(chunk)


def _refuse_unsafe_name(name: str) -> None:
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in name or not name:
        raise _error("it contains an unsafe path", f"path: {name!r}")


def _error(reason: str, *details: str) -> ArchiveError:
    return ArchiveError(
        f"the archive cannot be used: {reason}",
        details=details,
        hint="a proxy or mirror may have truncated or replaced it: try again, or use another --source",
    )
