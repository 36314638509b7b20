"""Verified Temporal CLI executables: download (`ensure`), list, verify and remove them.

The public names are those of `__all__`; they are loaded when first used.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .inventory import PrunedBinaries, Verified, installed, prune, verify
    from .models import BinaryRequest, Executable
    from .resolve import ensure, find_available, find_stored

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
    "verify",
]

_HOMES = {
    "BinaryRequest": "models",
    "Executable": "models",
    "find_available": "resolve",
    "ensure": "resolve",
    "find_stored": "resolve",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'devserver.executables' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_HOMES.get(name, 'inventory')}", __name__), name)
