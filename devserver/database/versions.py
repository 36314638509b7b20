"""The order of two server versions."""

from __future__ import annotations

from typing import Literal

Age = Literal["older", "same", "newer"]


def named(version: str | None) -> str:
    """A server's version in a sentence; an older file may not tell it."""
    return f"server {version}" if version else "an older server"


def age(found: str | None, wanted: str) -> Age | None:
    """How `found` compares with `wanted`; None if that is unknown."""
    from packaging.version import InvalidVersion, Version

    try:
        one, other = Version(found or ""), Version(wanted)
    except InvalidVersion:
        return None
    return "older" if one < other else "newer" if one > other else "same"
