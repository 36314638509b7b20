"""The records of the store: what is asked for, what exactly that means here, and what was found."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..config.settings import Settings
from ..errors import OptionError, UnpinnedVersion
from ..system.paths import whole
from ..system.platforms import Platform, current
from .versions import LATEST, pin, wanted

SOURCES = ("explicit", "installed", "release", "wheel")
_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True)
class BinaryRequest:
    """Which executable is asked for, and where it may come from.

    Attributes:
        version: `1.9.1`, `v1.9.1`, `latest`, or None for the default version.
        binary: An executable to run in place.
        source: One of `SOURCES` to use that one only; None to try all in their order.
        offline: Never touch the network.
        base_url: Where the download service, or a mirror of it, is.
        require_pinned: Refuse an executable whose SHA-256 is not known beforehand.
        accept_sha256: A SHA-256 (64 hex digits) that is as good as the pinned one.
        wait: Seconds to wait for another process that installs the same version.
    """

    version: str | None = None
    binary: Path | None = None
    source: str | None = None
    offline: bool = False
    base_url: str | None = None
    require_pinned: bool = False
    accept_sha256: str | None = None
    wait: float = 900.0

    @classmethod
    def of(
        cls,
        settings: Settings,
        *,
        version: str | None = None,
        binary: Path | None = None,
        source: str | None = None,
        offline: bool | None = None,
        base_url: str | None = None,
        require_pinned: bool | None = None,
        accept_sha256: str | None = None,
    ) -> BinaryRequest:
        """The request that settings and, above them, options make.

        A version or a source named as an option takes precedence over a `binary` in the settings.
        """
        own = settings.binary if version is None and source in (None, "explicit") else None
        return cls(
            version=version or (None if binary else settings.version),
            binary=whole(binary) if binary else own,
            source=source or (None if binary else settings.source),
            offline=settings.offline if offline is None else offline,
            base_url=base_url or settings.base_url,
            require_pinned=settings.require_pinned if require_pinned is None else require_pinned,
            accept_sha256=accept_sha256 or settings.accept_sha256,
        )

    @property
    def in_place(self) -> bool:
        """Whether an executable of the user's is to be run where it lies."""
        return self.source == "explicit" or (self.binary is not None and self.source is None)

    @property
    def by_name(self) -> bool:
        """Whether the user named a version, and so answers for it."""
        return self.version is not None and self.version.strip().lower() != LATEST


@dataclass(frozen=True)
class Executable:
    """A verified executable.

    Attributes:
        path: Where it is (absolute).
        version: The CLI's version, such as `1.9.1`.
        server_version: The version of the server inside, such as `1.32.0`.
        sha256: What its bytes hash to, in hex.
        source: Which of `SOURCES` it came from.
        pinned: Whether that hash was known beforehand.
    """

    path: Path
    version: str
    server_version: str
    sha256: str
    source: str
    pinned: bool


@dataclass(frozen=True)
class Goal:
    """A request made exact: which version for which machine, and which hashes will do.

    Attributes:
        request: What was asked for.
        version: The exact version.
        platform: This machine's.
        pin: The hash from the table, or None.
        accept: The hash that the user accepts, or None.
    """

    request: BinaryRequest
    version: str
    platform: Platform
    pin: str | None
    accept: str | None

    @classmethod
    def of(cls, request: BinaryRequest) -> Goal:
        """What a request means on this machine.

        Raises:
            OptionError: A version, source or hash that is none.
            UnsupportedPlatform: There is no executable for this machine.
            UnpinnedVersion: Pins are required and this version has none.
        """
        if request.source is not None and request.source not in SOURCES:
            raise OptionError(f"there is no source {request.source!r}", hint=f"sources: {', '.join(SOURCES)}")
        version, platform = wanted(request.version), current()
        goal = cls(request, version, platform, pin(version, platform.key), accepted(request.accept_sha256))
        if request.require_pinned and goal.pin is None and goal.accept is None:
            raise UnpinnedVersion(
                f"no SHA-256 is known beforehand for temporal {version} on {platform.key}, and pins are required",
                hint="name the hash you trust with --accept-sha256 HEX, take a pinned version "
                "(`devserver binary list` lists them), or drop --require-pinned",
            )
        return goal

    @property
    def key(self) -> str:
        """The name of its folder in the store."""
        return f"{self.version}-{self.platform.key}"

    def expects(self, sha256: str) -> bool:
        """Whether a hash is the pinned or the accepted one."""
        return sha256 in (self.pin, self.accept)


def accepted(text: str | None) -> str | None:
    """A hash as the user wrote it, in lower case.

    Raises:
        OptionError: It is not 64 hex digits.
    """
    if text is None:
        return None
    digits = text.strip().lower().removeprefix("sha256:")
    if len(digits) != 64 or not _HEX.issuperset(digits):
        raise OptionError(
            f"{text!r} is not a SHA-256",
            hint="give 64 hex digits, as `sha256sum` prints them",
        )
    return digits
