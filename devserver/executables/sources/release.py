"""The source `release`: the official download service, or a mirror with the same API.

`GET BASE/cli/v<VERSION>?platform=..&arch=..&format=..` answers `{"archiveUrl": .., "fileToExtract": ..}`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlencode, urljoin, urlsplit

from ...errors import ArchiveError, BinaryNotFound, DownloadFailed, OptionError
from ...system.progress import Reporter
from ...system.redact import shown
from ..models import Goal
from .source import Fetched

if TYPE_CHECKING:
    import httpx

    from .http import Http

BASE_URL = "https://temporal.download"
CHUNK = 1 << 16
MOST_BYTES = 1 << 30
MOST_METADATA = 1 << 20
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Release:
    """The download service. It has no checksums: the caller's pins make it safe.

    Args:
        http: The HTTP client to use instead of a new one.
    """

    name = "release"
    needs_network = True

    def __init__(self, http: Http | None = None) -> None:
        self._http = http

    def fetch(self, goal: Goal, work: Path, reporter: Reporter) -> Fetched:
        """Download the archive that the service names, and extract the executable."""
        from .archives import extract
        from .http import Http

        base = base_url(goal.request.base_url)
        http = self._http or Http(reporter)
        if base.scheme == "http" and base.hostname not in _LOOPBACK and goal.pinned_sha256 is None:
            reporter.warn(f"{shown(base.geturl())} is not encrypted, and temporal {goal.version} is not pinned")
        archive_url, member = _request_archive(http, goal, base)
        archive = work / "archive"
        what = f"temporal {goal.version}"
        url = _with_credentials(archive_url, base)
        http.get(url, what, lambda answer: _receive(answer, archive, what, reporter))
        target = work / goal.platform.executable
        try:
            extract(archive, member, target)
        except ArchiveError as error:
            details = [f"URL: {shown(archive_url)}", *error.details]
            raise ArchiveError(f"{what}: {error.message}", details=details, hint=error.hint) from error
        archive.unlink()
        return Fetched(target, shown(archive_url))


def base_url(text: str | None) -> SplitResult:
    """The URL of the service.

    Raises:
        OptionError: It is not an http or https URL, or has a query or a fragment.
    """
    try:
        url = urlsplit((text or BASE_URL).rstrip("/"))
        usable = url.scheme in ("http", "https") and url.hostname and url.port != 0 and not (url.query or url.fragment)
        usable = usable and not url.netloc.endswith(":") and (text or "").isprintable()
    except ValueError:  # invalid brackets or port
        usable = False
    if not usable:
        raise OptionError(
            f"{shown(text or '')!r} is not the URL of a download service",
            hint=f"for example {BASE_URL}, or https://mirror.example/temporal",
        )
    return url


def _request_archive(http: Http, goal: Goal, base: SplitResult) -> tuple[str, str]:
    try:
        return http.get(_archive_url(goal, base), "the download service", _metadata)
    except BinaryNotFound as error:
        raise BinaryNotFound(
            f"the download service has no temporal {goal.version} for {goal.platform.key}",
            details=[error.message],
            hint="check that this version exists; --base-url is the part of a mirror's URL before /cli/",
        ) from error


def _archive_url(goal: Goal, base: SplitResult) -> str:
    kind = "zip" if goal.platform.os == "windows" else "tar.gz"
    query = urlencode({"platform": goal.platform.os, "arch": goal.platform.arch, "format": kind})
    return f"{base.geturl()}/cli/v{goal.version}?{query}"


def _metadata(response: httpx.Response) -> tuple[str, str]:
    """The URL of the archive and the name of the file in it."""
    from .http import refuse_downgrade

    text = b""
    for chunk in response.iter_bytes(CHUNK):
        text += chunk
        if len(text) > MOST_METADATA:
            break
    where = shown(str(response.url))
    try:
        answer: dict[str, Any] = json.loads(text)
        archive_url, member = urljoin(str(response.url), answer["archiveUrl"]), answer["fileToExtract"]
        if not isinstance(member, str):
            raise TypeError(member)
    except (ValueError, KeyError, TypeError) as error:
        raise DownloadFailed(
            f"{where} does not answer like a download service",
            details=[f"answer: {text[:200].decode(errors='replace')!r}"],
            hint="a proxy may have sent its own page; check --base-url",
        ) from error
    refuse_downgrade(str(response.url), archive_url)
    return archive_url, member


def _with_credentials(url: str, base: SplitResult) -> str:
    """The archive's URL, with the mirror's credentials if it is on the same host."""
    there = urlsplit(url)
    user, _, host = base.netloc.rpartition("@")
    if user and there.netloc == host and there.scheme == base.scheme:
        return there._replace(netloc=base.netloc).geturl()
    return url


def _receive(response: httpx.Response, archive: Path, what: str, reporter: Reporter) -> None:
    length = response.headers.get("Content-Length", "")
    total = int(length) if length.isdecimal() else None
    done = 0
    with archive.open("wb") as file:
        for chunk in response.iter_raw(CHUNK):
            done += len(chunk)
            if done > MOST_BYTES:
                raise DownloadFailed(f"{what} is larger than {MOST_BYTES >> 20} MiB: that cannot be the executable")
            file.write(chunk)
            reporter.progress(what, done, total)
