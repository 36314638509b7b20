"""The build id of a worker without Worker Versioning: a hash of the files of its code.

The SDK's own default hashes the bytecode of all loaded modules, its own among them: 0.12 s of CPU time for each worker
process, and a second where many libraries are loaded.
"""

from __future__ import annotations

import contextlib
import hashlib
import sys
from collections.abc import Collection, Iterable
from pathlib import Path


def build_id(files: Iterable[str]) -> str:
    """The build id of code in these files."""
    digest = hashlib.md5(usedforsecurity=False)
    for file in sorted(files):
        with contextlib.suppress(OSError):
            digest.update(Path(file).read_bytes())
    return digest.hexdigest()


def files_imported_since(known: Collection[str]) -> list[str]:
    """The files of the modules that this process has imported since it had the modules `known`."""
    new = [module for name, module in list(sys.modules.items()) if name not in known]
    return [file for file in (getattr(module, "__file__", None) for module in new) if file]
