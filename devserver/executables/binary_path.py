"""An executable that the user names by its path. Its hash and version are cached until the file changes."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import BinaryNotFound, FolderNotWritable, NotTemporal, OptionError, UnpinnedVersion, UntrustedSettings
from ..system.files import private_folder, refuse_unsafe, sha256_of, write_private
from ..system.paths import Paths, whole
from ..system.platforms import current
from ..system.progress import Reporter
from .known_releases import SERVER_VERSIONS
from .models import BinaryRequest, Executable, Goal, parse_sha256
from .receipt import stamp_of
from .versions import parse_version, pinned_version

CACHE = "explicit.json"
MOST_ENTRIES = 50


@dataclass(frozen=True)
class _Known:
    """What is known of a file with this content; no version before it has been run, unless it is pinned."""

    sha256: str
    version: str | None = None
    server_version: str | None = None


def use(request: BinaryRequest, *, paths: Paths, reporter: Reporter) -> Executable:
    """Verify the executable at the path in the request, without copying it.

    Its hash is compared first; only then is it run to ask for its version.

    Raises:
        OptionError: The request has no path.
        BinaryNotFound: The file does not exist, or has another version than the requested one.
        NotTemporal: It is not a working Temporal CLI.
        ChecksumMismatch: Its SHA-256 is not the accepted one.
        UnpinnedVersion: A pinned SHA-256 is required, and this is none.
        UntrustedSettings: It has changed since the user trusted the checkout that names it.
    """
    path = _find(request.binary)
    cache = private_folder(paths.cache) / CACHE
    key = _key(path)
    known = _known(path, key, cache)
    pinned = _check(path, known.sha256, request)
    if known.version is None:
        known = _asked(path, known.sha256, key, cache)
    if request.version is not None and known.version != parse_version(request.version):
        raise BinaryNotFound(
            f"{path} is temporal {known.version}, not the requested {parse_version(request.version)}",
            hint="omit the version (--version, DEVSERVER_VERSION, or version in the settings) to run this executable, "
            "or omit the executable (--binary, DEVSERVER_BINARY) to download the version",
        )
    return _executable(path, known, pinned)


def look(request: BinaryRequest, *, paths: Paths) -> Executable:
    """The same without running the file: its version is empty where only the file could tell it.

    Raises:
        DevServerError: As for `use`.
    """
    path = _find(request.binary)
    refuse_unsafe(paths.cache)
    known = _known(path, _key(path), paths.cache / CACHE)
    return _executable(path, known, _check(path, known.sha256, request))


def _executable(path: Path, known: _Known, pinned: bool) -> Executable:
    return Executable(path, known.version or "", known.server_version or "", known.sha256, "explicit", pinned)


def _check(path: Path, sha256: str, request: BinaryRequest) -> bool:
    """Whether the SHA-256 is a pinned one; raises if it has to be and is not."""
    platform = current()
    version = pinned_version(sha256, platform.key)
    if version is not None:
        return True
    accept = parse_sha256(request.accept_sha256)
    if accept is not None and sha256 != accept:
        from .checksums import mismatch

        raise mismatch(Goal(request, "", platform, None, accept), sha256, origin=str(path), deleted=False)
    if request.trusted_sha256 not in (None, sha256, accept):
        raise UntrustedSettings(
            f"{path} has changed since you trusted the project that chooses it; it was not run",
            details=[f"trusted: {request.trusted_sha256}", f"found:   {sha256}"],
            hint="if you trust the new file, run devserver trust again; otherwise choose another one with --binary",
        )
    if request.require_pinned and accept is None:
        raise UnpinnedVersion(
            f"{path} is not a pinned build of the Temporal CLI, and one is required; it was not run",
            hint=f"if you trust this file: --accept-sha256 {sha256}",
        )
    return False


def _known(path: Path, key: str, cache: Path) -> _Known:
    """The hash of the file, from the cache while the file is unchanged; its version where it is pinned or cached."""
    try:
        cached = _load(cache).get(key)
        known = _Known(**cached) if cached else _Known(sha256_of(path))
    except TypeError:
        known = _Known(sha256_of(path))
    except OSError as error:
        raise FolderNotWritable(f"cannot read {path}: {error.strerror}") from error
    version = pinned_version(known.sha256, current().key)
    if version is not None and known.version is None:
        known = _Known(known.sha256, version, SERVER_VERSIONS.get(version))
        _remember(path, key, known, cache)
    return known


def _asked(path: Path, sha256: str, key: str, cache: Path) -> _Known:
    """What the file itself says when it is run."""
    from .temporal_cli import probe_version

    answer = probe_version(path)
    known = _Known(sha256, answer.version, answer.server_version)
    _remember(path, key, known, cache)
    return known


def _key(path: Path) -> str:
    return f"{path}|{stamp_of(path.stat())}"


def _remember(path: Path, key: str, known: _Known, cache: Path) -> None:
    """Write what is known of the content that the file had before it was hashed; nothing if it has changed since."""
    if _key(path) != key:
        return
    entries = {**_load(cache), key: vars(known)}
    with contextlib.suppress(FolderNotWritable):  # a read-only cache: it is hashed again
        write_private(cache, json.dumps(dict(list(entries.items())[-MOST_ENTRIES:]), indent=2) + "\n")


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
            hint="use --binary PATH, DEVSERVER_BINARY, or binary in the settings (see: devserver docs settings)",
        )
    path = whole(binary)
    if not os.access(path, os.F_OK):
        raise BinaryNotFound(
            f"the file {path} does not exist, or you may not read its folder",
            details=["it was given with --binary, DEVSERVER_BINARY or binary in the settings"],
            hint="correct the path, or omit it to use a managed executable",
        )
    if not path.is_file():
        raise NotTemporal(f"{path} is not a file", hint=f"give the path of the executable, such as {path / 'temporal'}")
    if not os.access(path, os.R_OK | os.X_OK):
        raise NotTemporal(f"you may not read and execute {path}", hint=f"run: chmod u+rx {path}")
    return path
