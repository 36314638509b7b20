"""A request for an executable, what exactly it means on this machine, and the executable itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..config.settings import Settings
from ..config.settings_keys import SOURCES as SOURCES
from ..errors import OptionError, UnpinnedVersion
from ..system.paths import whole
from ..system.platforms import Platform, current
from .versions import LATEST, parse_version, pinned_sha256

CHOOSES = "chooses the program to run"
_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True)
class BinaryRequest:
    """A request for an executable, with the sources it may come from.

    Attributes:
        version: `1.9.1`, `v1.9.1`, `latest`, or None for the default version.
        binary: The path of an executable to run.
        source: The only one of `SOURCES` to use; None tries all in their order.
        offline: Do not use the network.
        base_url: The URL of the download service, or of a mirror.
        require_pinned: Reject an executable without a pinned SHA-256.
        accept_sha256: A SHA-256 (64 hex digits) to accept instead of the pinned one.
        chosen: Whether the version is the user's own choice, not that of a file which the user has not trusted.
        trusted_sha256: The SHA-256 that the file `binary` of a trusted checkout had when the user trusted it.
        wait: Seconds to wait for another process that is installing the same version.
    """

    version: str | None = None
    binary: Path | None = None
    source: str | None = None
    offline: bool = False
    base_url: str | None = None
    require_pinned: bool = False
    accept_sha256: str | None = None
    chosen: bool = True
    trusted_sha256: str | None = None
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
        """The request for the settings and the options, which win.

        A version or a source that is given as an option wins over a `binary` in the settings.

        Raises:
            UntrustedSettings: A setting of a file that the user has not trusted is needed.
        """
        given = {"binary": binary or version, "source": source, "base-url": base_url, "accept-sha256": accept_sha256}
        if source not in (None, "release"):
            given["base-url"] = source  # nothing is downloaded from there
        unknown = {key: value for key, value in settings.untrusted.items() if key in given and not given[key]}
        _refuse_untrusted(settings, {} if binary else unknown)
        # A hash that the user accepts says more than a version.
        own_hash = accept_sha256 or settings.accept_sha256
        stranger = version is None and not binary and not own_hash and settings.stranger_version
        if stranger and not _is_pinned(settings.version):
            _refuse_untrusted(settings, {"version": str(settings.version)})
        own = settings.binary if version is None and source in (None, "explicit") else None
        return cls(
            version=version or (None if binary else settings.version),
            binary=whole(binary) if binary else own,
            source=source or (None if binary else settings.source),
            offline=settings.offline if offline is None else offline,
            base_url=base_url or settings.base_url,
            require_pinned=settings.require_pinned if require_pinned is None else require_pinned,
            accept_sha256=accept_sha256 or settings.accept_sha256,
            chosen=not stranger,
            trusted_sha256=settings.trusted_sha256 if own else None,
        )

    @property
    def in_place(self) -> bool:
        """Whether the request names an executable by its path."""
        return self.source == "explicit" or (self.binary is not None and self.source is None)

    @property
    def by_name(self) -> bool:
        """Whether the user chose a version, and so accepts its security advisories."""
        return self.chosen and self.version is not None and self.version.strip().lower() != LATEST


def _is_pinned(version: str | None) -> bool:
    return pinned_sha256(parse_version(version), current().key) is not None


def _refuse_untrusted(settings: Settings, keys: Mapping[str, str]) -> None:
    if keys:
        from ..config.trust import refuse_untrusted

        refuse_untrusted(settings.file, keys, CHOOSES)


@dataclass(frozen=True)
class Executable:
    """A verified executable.

    Attributes:
        path: Its absolute path.
        version: The CLI's version, such as `1.9.1`.
        server_version: The version of the server inside, such as `1.32.0`.
        sha256: Its SHA-256 in hex.
        source: The one of `SOURCES` that it came from.
        pinned: Whether that SHA-256 is pinned.
    """

    path: Path
    version: str
    server_version: str
    sha256: str
    source: str
    pinned: bool


@dataclass(frozen=True)
class Goal:
    """An exact request: a version for a platform, and the hashes that it may have.

    Attributes:
        request: The request.
        version: The exact version.
        platform: The platform of this machine.
        pinned_sha256: The pinned SHA-256, or None.
        accept: The SHA-256 that the user accepts, or None.
    """

    request: BinaryRequest
    version: str
    platform: Platform
    pinned_sha256: str | None
    accept: str | None

    @classmethod
    def of(cls, request: BinaryRequest) -> Goal:
        """The exact meaning of a request on this machine.

        Raises:
            OptionError: The version, source or hash is invalid.
            UnsupportedPlatform: There is no executable for this machine.
            UnpinnedVersion: A pinned SHA-256 is required, and this version has none.
        """
        if request.source is not None and request.source not in SOURCES:
            raise OptionError(f"unknown source {request.source!r}", hint=f"sources: {', '.join(SOURCES)}")
        version, platform = parse_version(request.version), current()
        goal = cls(
            request, version, platform, pinned_sha256(version, platform.key), parse_sha256(request.accept_sha256)
        )
        if request.require_pinned and goal.pinned_sha256 is None and goal.accept is None:
            raise UnpinnedVersion(
                f"temporal {version} for {platform.key} has no pinned SHA-256, and one is required",
                hint="give the hash that you trust with --accept-sha256 HEX, use a pinned version "
                "(`devserver binary list` lists them), or omit --require-pinned",
            )
        return goal

    @property
    def key(self) -> str:
        """The name of the executable's folder in the store."""
        return f"{self.version}-{self.platform.key}"

    def expects(self, sha256: str) -> bool:
        """Whether a hash is the pinned or the accepted one."""
        return sha256 in (self.pinned_sha256, self.accept)


def parse_sha256(text: str | None) -> str | None:
    """A SHA-256 as a user writes it, in lower case and without `sha256:`.

    Raises:
        OptionError: The text is not 64 hex digits.
    """
    if text is None:
        return None
    digits = text.strip().lower().removeprefix("sha256:")
    if len(digits) != 64 or not _HEX.issuperset(digits):
        raise OptionError(
            f"{text!r} is not a SHA-256",
            hint="use 64 hex digits, as `sha256sum` prints them",
        )
    return digits
