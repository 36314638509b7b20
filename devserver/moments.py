"""Moments as records, logs, stamps and file names write them: UTC, to the second."""

from __future__ import annotations

import time


def utc_now() -> str:
    """ISO 8601: 2026-11-22T15:00:41Z."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def utc_for_names() -> str:
    """As file names like it: 20261122T150041Z."""
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
