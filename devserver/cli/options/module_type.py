"""`MODULE` and `MODULE:NAME` on a command line, with shell completion."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from ...introspection import Module

DEPTH, MOST = 3, 200
SKIPPED = ("__pycache__", "node_modules", "site-packages", "build", "dist")


class ModuleType(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # generic from click 8.4 on
    """A module, or after a colon a name in it, as `names` lists them."""

    name = "module"

    def __init__(self, names: Callable[[Module], Iterable[str]] | None = None) -> None:
        self._names = names

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Files, packages and folders; after the colon the names in the module."""
        where, colon, _ = incomplete.partition(":")
        if not colon:
            return [*_files(incomplete)]
        return [
            CompletionItem(f"{where}:{name}") for name in self._in(where) if f"{where}:{name}".startswith(incomplete)
        ]

    def _in(self, where: str) -> list[str]:
        from .shell_completion import quietly

        names = self._names

        def look() -> list[str]:
            from ...introspection import find

            return sorted(names(find(where, make=False))) if names else []

        return quietly(look) or []


def workflow_names(module: Module) -> Iterable[str]:
    """The types of its workflows."""
    return [workflow.name for workflow in module.workflows if workflow.name]


def all_names(module: Module) -> Iterable[str]:
    """The names of its workflows, activities and Nexus services."""
    names = [workflow.name for workflow in module.workflows] + [activity.name for activity in module.activities]
    return [name for name in (*names, *(service.name for service in module.nexus_services)) if name]


def handler_names(kind: str) -> Callable[[Module], Iterable[str]]:
    """The signals, queries or updates of its workflows."""

    def names(module: Module) -> Iterable[str]:
        for workflow in module.workflows:
            yield from (f"{workflow.label}.{name}" for name in getattr(workflow.definition, kind) if name)

    return names


def _files(incomplete: str) -> Iterable[CompletionItem]:
    """Python files below the current folder with that beginning, then packages by their dotted names."""
    folder = incomplete.rpartition("/")[0] or ("/" if incomplete.startswith("/") else "")
    prefix = incomplete[: len(incomplete) - len(incomplete.rpartition("/")[2])]
    found = (f"{prefix}{item}" for item in _below(Path(folder), DEPTH))
    yield from islice((item for path in found for item in _completions(path, incomplete)), MOST)
    if "/" not in incomplete:
        yield from _dotted(incomplete)


def _below(folder: Path, depth: int) -> Iterable[str]:
    """The paths of Python files, the folder's own before those of its folders; no virtual environments."""
    try:
        entries = sorted(folder.iterdir(), key=lambda each: (each.is_dir(), each.name))
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith((".", "__")) or entry.name in SKIPPED or (entry / "pyvenv.cfg").is_file():
            continue
        if entry.suffix == ".py":
            yield entry.name
        elif depth and entry.is_dir():
            yield from (f"{entry.name}/{path}" for path in _below(entry, depth - 1))


def _dotted(incomplete: str) -> Iterable[CompletionItem]:
    """Packages of the current folder, and modules of the package that is being typed."""
    parents, _, _ = incomplete.rpartition(".")
    for root in (Path(), Path("src")):
        folder = root.joinpath(*parents.split(".")) if parents else root
        if parents and not (folder / "__init__.py").is_file():
            continue
        entries = sorted(folder.iterdir()) if folder.is_dir() else []
        for entry in entries:
            package = (entry / "__init__.py").is_file()
            module = bool(parents) and entry.suffix == ".py" and not entry.name.startswith("__")
            if package or module:
                yield from _completions(f"{parents}.{entry.stem}" if parents else entry.name, incomplete)


def _completions(value: str, incomplete: str) -> Iterable[CompletionItem]:
    if value.startswith(incomplete):
        yield CompletionItem(value)
