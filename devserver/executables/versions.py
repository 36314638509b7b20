"""Versions of the Temporal CLI as users write them: `1.9.1`, `v1.9.1`, `latest`."""

from __future__ import annotations

import re

from ..errors import OptionError
from .known_releases import DEFAULT_VERSION, PINS, SERVER_VERSIONS

LATEST = "latest"
_FORM = re.compile(r"v?(\d{1,5}\.\d{1,5}\.\d{1,5}(?:-[0-9A-Za-z][0-9A-Za-z.-]{0,40})?)")


def parse_version(text: str | None) -> str:
    """The exact version for `text`, such as `1.9.1`; the default version for None.

    Raises:
        OptionError: The text is not a version.
    """
    if text is None:
        return DEFAULT_VERSION
    word = text.strip()
    if word.lower() == LATEST:
        return max(SERVER_VERSIONS, key=version_key)
    found = _FORM.fullmatch(word)
    if found is None:
        raise OptionError(
            f"{text!r} is not a version of the Temporal CLI",
            details=[f"a version looks like {DEFAULT_VERSION}, v{DEFAULT_VERSION} or {LATEST}"],
            hint=_suggestion(word),
        )
    return found[1]


def pinned_sha256(version: str, platform_key: str) -> str | None:
    """The pinned SHA-256 of an executable; None if the version has no pin."""
    return PINS.get(version, {}).get(platform_key)


def pinned_version(sha256: str, platform_key: str) -> str | None:
    """The version whose pinned SHA-256 that is; None for an executable without a pin."""
    return next((version for version, pins in PINS.items() if pins.get(platform_key) == sha256), None)


def version_key(version: str) -> tuple[int, int, int, bool, str]:
    """A sort key: numbers by value, a pre-release before its release."""
    numbers, _, rest = version.partition("-")
    major, minor, patch = (int(part) for part in numbers.split("."))
    return (major, minor, patch, not rest, rest)


def _suggestion(word: str) -> str:
    import difflib

    near = difflib.get_close_matches(word, SERVER_VERSIONS, n=1)
    known = ", ".join(SERVER_VERSIONS)
    return (f"did you mean {near[0]}? " if near else "") + f"versions known here: {known}"
