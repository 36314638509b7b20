"""Keeps the code of the user's modules as it was when this process imported them.

The SDK's sandbox imports a workflow's module again for each workflow. Without this, it would import what was saved in
the meantime: code that differs from the worker's activities, or does not compile.
"""

from __future__ import annotations

import functools
import os
import site
import sys
import sysconfig
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

import devserver

INSTALLED = {"site-packages", "dist-packages"}


def install() -> None:
    """Start, before the first module of the user is imported."""
    is_user_file(__file__)  # calls sysconfig now: it imports, which fails inside our finder on Python 3.13
    sys.meta_path.insert(0, _Finder())


class _Finder(MetaPathFinder):
    """Finds what the other finders find; a module of the user as it was the first time, even if its file is gone."""

    def __init__(self) -> None:
        self._specs: dict[str, ModuleSpec] = {}

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        known = self._specs.get(name)
        if known is not None and target is None:  # importlib.reload asks for the current file
            return _copy(known)
        spec = _find(name, path, target)
        if spec is not None and type(spec.loader) is SourceFileLoader and is_user_file(spec.loader.path):
            spec.loader = _Loader(name, spec.loader.path, self._specs, spec)
        return spec

    def invalidate_caches(self) -> None:
        """Nothing to do: what is kept stays valid."""


class _Loader(SourceFileLoader):
    """Loads a module from its file, and keeps its code if that succeeds."""

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


def _find(name: str, path: Sequence[str] | None, target: ModuleType | None) -> ModuleSpec | None:
    for finder in sys.meta_path:
        find = None if isinstance(finder, _Finder) else getattr(finder, "find_spec", None)
        spec: ModuleSpec | None = find(name, path, target) if find else None
        if spec is not None:
            return spec
    return None


def _copy(spec: ModuleSpec) -> ModuleSpec:
    """A copy, because a spec belongs to one import."""
    places = spec.submodule_search_locations
    again = ModuleSpec(spec.name, spec.loader, origin=spec.origin, is_package=places is not None)
    again.submodule_search_locations = None if places is None else list(places)
    again.has_location, again.cached = spec.has_location, spec.cached
    return again


def imported_files() -> list[str]:
    """The source files (real paths) of the user's modules that this process has imported."""
    paths = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    sources = {os.path.realpath(file) for file in paths if isinstance(file, str) and file.endswith(".py")}
    return sorted(filter(is_user_file, sources))


def is_user_file(file: str) -> bool:
    """Whether a source file is the user's: not of Python, not installed, not of this package."""
    path = os.path.realpath(file)
    return not path.startswith(_other_folders()) and not INSTALLED & set(Path(path).parts)


@functools.cache
def _other_folders() -> tuple[str, ...]:
    folders = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    folders |= {str(Path(devserver.__file__).parent), site.getusersitepackages()}
    return tuple(os.path.realpath(folder) + os.sep for folder in folders)
