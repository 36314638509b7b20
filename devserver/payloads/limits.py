"""How large a payload may be, and from which size on it is worth to be handled apart."""

from __future__ import annotations

from .errors import PayloadTooLarge
from .sizes import show_size

LARGEST = "1GB"
MOST = "20GB"
LARGE = 4_000_000
# A workflow that computes for 2 s counts as deadlocked, so what takes long to hash is left to the driver's threads.
LARGE_FOR_A_WORKFLOW = 500_000_000


def too_large(size: int, largest: int, owner: str = "") -> PayloadTooLarge:
    """The error for a payload above the limit."""
    return PayloadTooLarge(
        f"a payload of {show_size(size)} is larger than the {show_size(largest)} that one may have",
        details=[f"for {owner}"] if owner else [],
        hint="pass less, or where to find it; the limit is LargePayloads(largest=...)",
    )
