"""`MODULE` and `MODULE:NAME` on a command line, with shell completion."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from ...introspection import Module
    from ...introspection.source_names import SourceNames

DEPTH, MOST = 3, 200
Kind = Literal["any", "workflow", "signal", "query", "update"]
SKIPPED = ("__pycache__", "node_modules", "site-packages", "build", "dist")


class ModuleType(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # generic from click 8.4 on
    """A module, or after a colon a name in it.

    Args:
        kind: The names that a shell offers; None for none.
    """

    name = "module"

    def __init__(self, kind: Kind | None = None) -> None:
        self._kind = kind

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Files, packages and folders; after the colon the names in the module."""
        where, colon, _ = incomplete.partition(":")
        if not colon:
            return [*_files(incomplete)]
        return [
            CompletionItem(f"{where}:{name}") for name in self._in(where) if f"{where}:{name}".startswith(incomplete)
        ]

    def _in(self, where: str) -> list[str]:
        from .shell_completion import may_import, quietly

        def look() -> Iterable[str]:
            if self._kind is None:
                return []
            if may_import(where):
                from ...introspection import find

                return _in_module(find(where, make=False), self._kind)
            from ...introspection.source_names import names_in_source

            path = Path(where) if where.endswith(".py") else Path(*where.split(".")).with_suffix(".py")
            return _in_source(names_in_source(path), self._kind)

        return sorted(set(quietly(look) or ()))


def _in_module(module: Module, kind: Kind) -> list[str]:
    workflows = [workflow.name for workflow in module.workflows if workflow.name]
    if kind == "workflow":
        return workflows
    if kind == "any":
        activities = [activity.name for activity in module.activities if activity.name]
        return [*workflows, *activities, *(service.name for service in module.nexus_services)]
    plural = {"signal": "signals", "query": "queries", "update": "updates"}[kind]
    return [
        f"{workflow.label}.{name}"
        for workflow in module.workflows
        for name in getattr(workflow.definition, plural)
        if name
    ]


def _in_source(names: SourceNames, kind: Kind) -> list[str]:
    """The names in a file of a project that the user does not trust: it is read, and not imported."""
    if kind == "workflow":
        return names.workflows
    return [*names.workflows, *names.activities] if kind == "any" else names.handlers[kind]


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
