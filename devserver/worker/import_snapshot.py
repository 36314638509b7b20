"""Keeps the code of the user's modules as it was when this process imported them.

The SDK's sandbox imports a workflow's module anew for each workflow. Without this, it would find what has been saved
meanwhile: another code than the worker's activities, or one that does not even compile.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import CodeType, ModuleType

from . import imported_files


def keep() -> None:
    """Begin: before the user's first module is imported."""
    imported_files.is_users(__file__)  # it asks sysconfig, which imports (Python 3.13 fails if that comes back to it)
    sys.meta_path.insert(0, _Finder())


class _Finder(MetaPathFinder):
    """Finds as the others do; what is the user's own is found as it was the first time, even if its file is gone."""

    def __init__(self) -> None:
        self._specs: dict[str, ModuleSpec] = {}

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        known = self._specs.get(name)
        if known is not None and target is None:  # a reload wants what is there now
            return _like(known)
        spec = _found(name, path, target)
        if spec is not None and type(spec.loader) is SourceFileLoader and imported_files.is_users(spec.loader.path):
            spec.loader = _Loader(name, spec.loader.path, self._specs, spec)
        return spec

    def invalidate_caches(self) -> None:
        """There is nothing that gets old."""


class _Loader(SourceFileLoader):
    """Loads a module from its file; when that has gone well, its code is kept."""

    def __init__(self, name: str, path: str, specs: dict[str, ModuleSpec], spec: ModuleSpec) -> None:
        super().__init__(name, path)
        self._specs, self._spec = specs, spec
        self._code: CodeType | None = None

    def exec_module(self, module: ModuleType) -> None:
        code = self._code or self.get_code(self.name)
        assert code is not None  # noqa: S101 - a source file has one
        exec(code, module.__dict__)  # noqa: S102 - which is what importing is
        self._code = code
        self._specs[self.name] = self._spec


def _found(name: str, path: Sequence[str] | None, target: ModuleType | None) -> ModuleSpec | None:
    for finder in sys.meta_path:
        find = None if isinstance(finder, _Finder) else getattr(finder, "find_spec", None)
        spec: ModuleSpec | None = find(name, path, target) if find else None
        if spec is not None:
            return spec
    return None


def _like(spec: ModuleSpec) -> ModuleSpec:
    """The same again: a spec belongs to one import."""
    places = spec.submodule_search_locations
    again = ModuleSpec(spec.name, spec.loader, origin=spec.origin, is_package=places is not None)
    again.submodule_search_locations = None if places is None else list(places)
    again.has_location, again.cached = spec.has_location, spec.cached
    return again
