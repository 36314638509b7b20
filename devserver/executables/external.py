"""An executable of the user's, run where it lies: hashed and asked for its version once, then remembered."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import BinaryNotFound, FolderNotWritable, UnpinnedVersion
from ..system.files import private_folder, sha256_of, write_private
from ..system.paths import Paths
from ..system.platforms import Platform, current
from ..system.progress import Reporter
from .models import BinaryRequest, Executable, Goal, accepted
from .versions import pin, wanted

CACHE = "explicit.json"
MOST_ENTRIES = 50


@dataclass(frozen=True)
class _Known:
    version: str
    server_version: str
    sha256: str


def use(request: BinaryRequest, *, paths: Paths, reporter: Reporter) -> Executable:
    """The user's own executable.

    Raises:
        BinaryNotFound: It is not there, or is another version than the one asked for.
        NotTemporal: It is something else, or does not answer.
        ChecksumMismatch: Neither the pinned hash nor the accepted one, where either is required.
        UnpinnedVersion: Pins are required and its version has none.
    """
    from .sources.explicit import Explicit

    platform = current()
    goal = Goal(request, "", platform, None, accepted(request.accept_sha256))
    path = Explicit().fetch(goal, paths.cache, reporter).path
    known, new = _recall_or_ask(path, private_folder(paths.cache) / CACHE)
    if request.version is not None and known.version != wanted(request.version):
        raise BinaryNotFound(
            f"{path} is temporal {known.version}, but {wanted(request.version)} was asked for",
            hint="drop the version (--version, DEVSERVER_VERSION, pyproject.toml) to run this executable, "
            "or the executable (--binary, DEVSERVER_BINARY) to get the version",
        )
    pinned = _judge(path, known, goal, reporter if new else None, platform)
    return Executable(path, known.version, known.server_version, known.sha256, "explicit", pinned)


def _judge(path: Path, known: _Known, asked: Goal, reporter: Reporter | None, platform: Platform) -> bool:
    """Whether its hash is pinned; raises where it has to be and is not."""
    request = asked.request
    goal = Goal(request, known.version, platform, pin(known.version, platform.key), asked.accept)
    if known.sha256 == goal.pin:
        return True
    if goal.accept is not None or (request.require_pinned and goal.pin is not None):
        if known.sha256 != goal.accept:
            from .checksums import mismatch

            raise mismatch(goal, known.sha256, origin=str(path), deleted=False)
        return False
    if request.require_pinned:
        raise UnpinnedVersion(
            f"no SHA-256 is known beforehand for temporal {known.version} ({path}), and pins are required",
            hint=f"if you trust this file: --accept-sha256 {known.sha256}",
        )
    if reporter is not None:
        reporter.note(f"{path} is a build of your own: its SHA-256 is {known.sha256}, which is not pinned")
    return False


def _recall_or_ask(path: Path, cache: Path) -> tuple[_Known, bool]:
    """What is known of the file, and whether it was asked only now."""
    info = path.stat()
    # Size and time of change can be set back by whoever exchanges the file; the inode's own time cannot.
    key = f"{path}|{info.st_size}|{info.st_mtime_ns}|{info.st_ctime_ns}|{info.st_ino}"
    entries = _load(cache)
    try:
        return _Known(**entries[key]), False
    except (KeyError, TypeError):
        pass
    from .version_probe import ask

    answer = ask(path)
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
