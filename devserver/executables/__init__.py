"""Verified Temporal CLI executables: download (`ensure`), list, verify and remove them.

The public names are those of `__all__`; they are loaded when first used.
"""

from __future__ import annotations

from ..system.lazy_names import lazy_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .inventory import PrunedBinaries, Verified, installed, prune, verify
    from .models import BinaryRequest, Executable
    from .resolve import ensure, find_available, find_stored, recheck

__all__ = [
    "BinaryRequest",
    "Executable",
    "PrunedBinaries",
    "Verified",
    "ensure",
    "find_available",
    "find_stored",
    "installed",
    "prune",
    "recheck",
    "verify",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "inventory": ("PrunedBinaries", "Verified", "installed", "prune", "verify"),
        "models": ("BinaryRequest", "Executable"),
        "resolve": ("ensure", "find_available", "find_stored", "recheck"),
    },
)
