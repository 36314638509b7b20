"""Credentials are masked in messages, notes and receipts."""

from __future__ import annotations

import re

# Up to the last @ before the path. A password may contain a slash, though that makes no valid URL.
_USER_INFO = re.compile(r"(?<=://)(?:[^/\s'\"]+|[^/@:\s'\"]+:(?!\d+/)[^\s'\"]*)(?=@)")
_QUERY = re.compile(r"(?<=\?)[^\s'\"<>]+")


def mask(text: str) -> str:
    """The text, with `user:password@` replaced by `***@` in every URL."""
    return _USER_INFO.sub("***", text)


def shown(url: str) -> str:
    """A URL for a message: without credentials and without query, which may contain a signature."""
    return mask(_QUERY.sub("...", url))
