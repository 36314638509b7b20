"""Times in UTC, to the second, for records and file names; durations for people."""

from __future__ import annotations

import time

TYPE_CHECKING = False  # as in devserver/__init__.py: a supervisor needs this module
if TYPE_CHECKING:
    from datetime import timedelta


def utc_now() -> str:
    """The current time in ISO 8601, such as 2026-11-22T15:00:41Z."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def utc_for_names() -> str:
    """The current time for a file name, such as 20261122T150041Z."""
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())


def age(duration: timedelta) -> str:
    """A duration in its two largest units, such as 3m12s or 2d4h."""
    seconds = max(0, round(duration.total_seconds()))
    parts: list[str] = []
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, seconds = divmod(seconds, length)
        if count or parts:
            parts.append(f"{count}{unit}" if count else "")
    return "".join(parts[:2]) or "0s"


def lasted(duration: timedelta) -> str:
    """A duration, such as 12 ms, 1.2 s, 3m12s or 2d4h."""
    seconds = duration.total_seconds()
    if seconds < 0.9995:
        return f"{max(0, round(seconds * 1000))} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s".replace(".0 s", " s")
    return age(duration)
