"""Large payloads in a folder: the plugin for clients and workers, pruning the folder, and sizes.

    client = await Client.connect("127.0.0.1:7233", plugins=[LargePayloads()])

The public names are those of `__all__`. They are loaded when first used, because the Temporal SDK is slow to import.
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
    from .limits import format_size, parse_size
    from .model import PayloadUsage, PayloadUse, PrunedPayloads
    from .plugin import LargePayloads
    from .pruning import prune, remove_server_payloads
    from .reference_scan import read_usage

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
    "PayloadUsage",
    "PayloadUse",
    "PrunedPayloads",
    "format_size",
    "parse_size",
    "prune",
    "read_usage",
    "remove_server_payloads",
]

_MODULES = {
    "BlobFolder": "blobs",
    "FolderDriver": "driver",
    "LargePayloads": "plugin",
    "PrunedPayloads": "model",
    "PayloadUsage": "model",
    "PayloadUse": "model",
    "remove_server_payloads": "pruning",
    "parse_size": "limits",
    "prune": "pruning",
    "format_size": "limits",
    "read_usage": "reference_scan",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'devserver.payloads' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_MODULES.get(name, 'errors')}", __name__), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
