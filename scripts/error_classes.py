"""The error classes that a user can meet: those of devserver and of temporaltest."""

from __future__ import annotations

import importlib
import pkgutil

import devserver
import temporaltest
from devserver.errors import DevServerError
from temporaltest.errors import TemporalTestError


def error_classes() -> dict[str, type[Exception]]:
    """Every error class by its name; all modules are imported."""
    for package in (devserver, temporaltest):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    found: dict[str, type[Exception]] = {}
    waiting: list[type[Exception]] = [DevServerError, TemporalTestError]
    while waiting:
        cls = waiting.pop()
        if cls.__module__.partition(".")[0] in ("devserver", "temporaltest"):
            found[cls.__name__] = cls
            waiting += cls.__subclasses__()
    return dict(sorted(found.items()))
