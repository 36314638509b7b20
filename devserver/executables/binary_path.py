"""An executable that the user names by its path. Its hash and version are cached until the file changes."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import BinaryNotFound, FolderNotWritable, NotTemporal, OptionError, UnpinnedVersion
from ..system.files import private_folder, sha256_of, write_private
from ..system.paths import Paths, whole
from ..system.platforms import Platform, current
from ..system.progress import Reporter
from .models import BinaryRequest, Executable, Goal, parse_sha256
from .versions import parse_version, pinned_sha256

CACHE = "explicit.json"
MOST_ENTRIES = 50


@dataclass(frozen=True)
class _Known:
    version: str
    server_version: str
    sha256: str


def use(request: BinaryRequest, *, paths: Paths, reporter: Reporter) -> Executable:
    """Verify the executable at the path in the request, without copying it.

    Raises:
        OptionError: The request has no path.
        BinaryNotFound: The file does not exist, or has another version than the requested one.
        NotTemporal: It is not a working Temporal CLI.
        ChecksumMismatch: Its SHA-256 is not the required one.
        UnpinnedVersion: A pinned SHA-256 is required, and its version has none.
    """

    platform = current()
    goal = Goal(request, "", platform, None, parse_sha256(request.accept_sha256))
    path = _find(request.binary)
    known, new = _probed(path, private_folder(paths.cache) / CACHE)
    if request.version is not None and known.version != parse_version(request.version):
        raise BinaryNotFound(
            f"{path} is temporal {known.version}, not the requested {parse_version(request.version)}",
            hint="omit the version (--version, DEVSERVER_VERSION, pyproject.toml) to run this executable, "
            "or omit the executable (--binary, DEVSERVER_BINARY) to download the version",
        )
    pinned = _is_pinned(path, known, goal, reporter if new else None, platform)
    return Executable(path, known.version, known.server_version, known.sha256, "explicit", pinned)


def _is_pinned(path: Path, known: _Known, asked: Goal, reporter: Reporter | None, platform: Platform) -> bool:
    """Whether its SHA-256 is the pinned one; raises if it has to be and is not."""
    request = asked.request
    goal = Goal(request, known.version, platform, pinned_sha256(known.version, platform.key), asked.accept)
    if known.sha256 == goal.pinned_sha256:
        return True
    if goal.accept is not None or (request.require_pinned and goal.pinned_sha256 is not None):
        if known.sha256 != goal.accept:
            from .checksums import mismatch

            raise mismatch(goal, known.sha256, origin=str(path), deleted=False)
        return False
    if request.require_pinned:
        raise UnpinnedVersion(
            f"temporal {known.version} ({path}) has no pinned SHA-256, and one is required",
            hint=f"if you trust this file: --accept-sha256 {known.sha256}",
        )
    if reporter is not None:
        reporter.note(f"{path} is not a pinned build; its SHA-256 is {known.sha256}")
    return False


def _probed(path: Path, cache: Path) -> tuple[_Known, bool]:
    """Version and hash of the file, and whether they were read only now."""
    info = path.stat()
    # Whoever replaces the file can restore its size and modification time, but not the inode's change time.
    key = f"{path}|{info.st_size}|{info.st_mtime_ns}|{info.st_ctime_ns}|{info.st_ino}"
    entries = _load(cache)
    try:
        return _Known(**entries[key]), False
    except (KeyError, TypeError):
        pass
    from .temporal_cli import probe_version

    answer = probe_version(path)
    try:
        known = _Known(answer.version, answer.server_version, sha256_of(path))
    except OSError as error:
        raise FolderNotWritable(f"cannot read {path}: {error.strerror}") from error
    entries[key] = vars(known)
    write_private(cache, json.dumps(dict(list(entries.items())[-MOST_ENTRIES:]), indent=2) + "\n")
    return known, True


def _load(cache: Path) -> dict[str, Any]:
    try:
        entries = json.loads(cache.read_bytes())
    except (OSError, ValueError):
        return {}
    return entries if isinstance(entries, dict) else {}


def _find(binary: Path | None) -> Path:
    """The user's file, absolute; it exists and is executable."""
    if binary is None:
        raise OptionError(
            "the source explicit needs the path of an executable",
            hint="use --binary PATH, DEVSERVER_BINARY, or binary in [tool.devserver] of pyproject.toml",
        )
    path = whole(binary)
    if not os.access(path, os.F_OK):
        raise BinaryNotFound(
            f"the file {path} does not exist, or you may not read its folder",
            details=["it was given with --binary, DEVSERVER_BINARY or binary in pyproject.toml"],
            hint="correct the path, or omit it to use a managed executable",
        )
    if not path.is_file():
        raise NotTemporal(f"{path} is not a file", hint=f"give the path of the executable, such as {path / 'temporal'}")
    if not os.access(path, os.R_OK | os.X_OK):
        raise NotTemporal(f"you may not read and execute {path}", hint=f"run: chmod u+rx {path}")
    return path
