"""Switches off what macOS lacks in each Python process that finds this file: its folder is on PYTHONPATH.

No signal when the parent dies, no /proc for the identity of processes, no /dev/shm, no user and network namespaces.
Modules of ours that ask `sys.platform` for these get `darwin`; all others see the real system.
"""

from __future__ import annotations

import importlib.machinery
import os
import sys
import types
from collections.abc import Sequence
from pathlib import Path

ASKING = {
    "devserver.system.spawn",
    "devserver.system.parent_death",
    "devserver.system.process",
    "devserver.database.users",
    "devserver.rehearsal.faults.disk",
    "devserver.cluster.isolation.namespace",
}
# Supervisors that the library starts do not import this file (-S): both sides have to identify processes in one way.
LEFT_VARIABLE = "MACOS_TESTS_LEAVE"
ASKING -= set(os.environ.get(LEFT_VARIABLE, "").split())
SHARED_MEMORY = "devserver.instances.ephemeral_database"


class MacSystem(types.ModuleType):
    """The module `sys` with another platform."""

    platform = "darwin"

    def __getattr__(self, name: str) -> object:
        return getattr(sys, name)


class MacLoader(importlib.machinery.SourceFileLoader):
    """Loads a module of ours, and then changes what it sees."""

    def exec_module(self, module: types.ModuleType) -> None:
        """Load it."""
        super().exec_module(module)
        if module.__name__ == SHARED_MEMORY:
            module.__dict__["SHARED_MEMORY"] = Path("/dev/shm/not-on-macos")
        else:
            module.__dict__["sys"] = MacSystem("sys")


class MacFinder:
    """Finds the modules that are changed."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The module's spec, with our loader; None for all other modules."""
        if name not in ASKING and name != SHARED_MEMORY:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.origin:
            spec.loader = MacLoader(name, spec.origin)
        return spec


sys.meta_path.insert(0, MacFinder)
