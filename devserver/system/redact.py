"""Keep credentials out of messages, notes and receipts."""

from __future__ import annotations

import re

# Up to the last @ before the path. A password may hold a slash: no valid address, and a password all the same.
_USER_INFO = re.compile(r"(?<=://)(?:[^/\s'\"]+|[^/@:\s'\"]+:(?!\d+/)[^\s'\"]*)(?=@)")
_QUERY = re.compile(r"(?<=\?)[^\s'\"<>]+")


def mask(text: str) -> str:
    """The text with `user:password@` of every address in it replaced by `***@`."""
    return _USER_INFO.sub("***", text)


def shown(url: str) -> str:
    """An address fit for a message: no credentials, and no query, which may hold a signature."""
    return mask(_QUERY.sub("...", url))
