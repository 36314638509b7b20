"""Imports parts of the SDK without all of it.

Importing any part, such as `temporalio.api.history.v1`, first runs the body of the package `temporalio`, which imports
the clients of all services: three quarters of the time that a command which only reads takes to start.
"""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType
from typing import Any

PACKAGE = "temporalio"


class _DeferredPackage(ModuleType):
    """A package whose body runs when a name is used that only the body can define."""

    def __getattr__(self, name: str) -> Any:
        run_body()
        return getattr(self, name)


def defer_sdk() -> None:
    """Run the body of the package `temporalio` when it is needed, if it is not loaded yet; its parts import as ever."""
    if PACKAGE in sys.modules:
        return
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.loader is None:
        return
    package = importlib.util.module_from_spec(spec)
    package.__class__ = _DeferredPackage
    sys.modules[PACKAGE] = package


def run_body() -> None:
    """Run the body of the package if it was deferred: for code of users, which expects the whole package."""
    package = sys.modules.get(PACKAGE)
    if not isinstance(package, _DeferredPackage):
        return
    package.__class__ = ModuleType  # type: ignore[assignment] # from the subclass above
    if package.__spec__ is not None and package.__spec__.loader is not None:
        package.__spec__.loader.exec_module(package)
