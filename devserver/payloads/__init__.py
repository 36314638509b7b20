"""Large payloads in a folder: the plugin for clients and workers, pruning the folder, and sizes.

    client = await Client.connect("127.0.0.1:7233", plugins=[LargePayloads()])

The public names are those of `__all__`. They are loaded when first used, because the Temporal SDK is slow to import.
"""

from __future__ import annotations

from ..system.lazy_names import lazy_names

TYPE_CHECKING = False  # as in devserver/__init__.py
if TYPE_CHECKING:
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

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "blobs": ("BlobFolder",),
        "driver": ("FolderDriver",),
        "errors": (
            "PayloadCorrupt",
            "PayloadError",
            "PayloadFolderFull",
            "PayloadFolderUnusable",
            "PayloadMissing",
            "PayloadOptionError",
            "PayloadTooLarge",
        ),
        "limits": ("format_size", "parse_size"),
        "model": ("PayloadUsage", "PayloadUse", "PrunedPayloads"),
        "plugin": ("LargePayloads",),
        "pruning": ("prune", "remove_server_payloads"),
        "reference_scan": ("read_usage",),
    },
)
