"""Verified executables: get one (`ensure`), list them, hash them again, remove them.

The public names are those of `__all__`; they are loaded when first used.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .inventory import PrunedBinaries, Verified, installed, prune, verify
    from .models import BinaryRequest, Executable
    from .resolve import at_hand, ensure, look

__all__ = [
    "BinaryRequest",
    "Executable",
    "PrunedBinaries",
    "Verified",
    "at_hand",
    "ensure",
    "installed",
    "look",
    "prune",
    "verify",
]

_HOMES = {
    "BinaryRequest": "models",
    "Executable": "models",
    "at_hand": "resolve",
    "ensure": "resolve",
    "look": "resolve",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'devserver.executables' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_HOMES.get(name, 'inventory')}", __name__), name)
