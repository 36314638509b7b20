"""Large payloads in a folder: a plugin for clients and workers, what the folder holds, and showing it in the Web UI.

    client = await Client.connect("127.0.0.1:7233", plugins=[LargePayloads()])

The public names are those of `__all__`; they are loaded when first used.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as in devserver/__init__.py
if TYPE_CHECKING:
    from typing import Any

    from .blobs import BlobFolder
    from .driver import FolderDriver
    from .errors import (
        PayloadCorrupt,
        PayloadError,
        PayloadFolderFull,
        PayloadFolderUnusable,
        PayloadMissing,
        PayloadOptionError,
        PayloadTooLarge,
    )
    from .plugin import LargePayloads
    from .pruning import Pruned, forget, prune
    from .sizes import parse_size, show_size
    from .usage import Usage, Use, usage_of

__all__ = [
    "BlobFolder",
    "FolderDriver",
    "LargePayloads",
    "PayloadCorrupt",
    "PayloadError",
    "PayloadFolderFull",
    "PayloadFolderUnusable",
    "PayloadMissing",
    "PayloadOptionError",
    "PayloadTooLarge",
    "Pruned",
    "Usage",
    "Use",
    "forget",
    "parse_size",
    "prune",
    "show_size",
    "usage_of",
]

_HOMES = {
    "BlobFolder": "blobs",
    "FolderDriver": "driver",
    "LargePayloads": "plugin",
    "Pruned": "pruning",
    "Usage": "usage",
    "Use": "usage",
    "forget": "pruning",
    "parse_size": "sizes",
    "prune": "pruning",
    "show_size": "sizes",
    "usage_of": "usage",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'devserver.payloads' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_HOMES.get(name, 'errors')}", __name__), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
