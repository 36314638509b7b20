"""Imports and classes of the two packages, read from the source without running it."""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tests.helpers.checkout import ROOT

PACKAGES = ("devserver", "temporaltest")


@dataclass(frozen=True)
class Import:
    """One imported name: the importing module, the line, the module it comes from and the name in it."""

    importer: str
    line: int
    module: str
    name: str

    @property
    def dotted(self) -> str:
        """The name with its module, as an import statement spells it."""
        return f"{self.module}.{self.name}" if self.name else self.module


class Module:
    """One source file."""

    def __init__(self, path: Path, root: Path) -> None:
        parts = path.relative_to(root).with_suffix("").parts
        self.path = path
        self.is_package = parts[-1] == "__init__"
        self.name = ".".join(parts[:-1] if self.is_package else parts)

    @cached_property
    def tree(self) -> ast.Module:
        """The module's syntax tree."""
        return ast.parse(self.path.read_text())

    @cached_property
    def imports(self) -> list[Import]:
        """All imports of the module, including those inside functions and under TYPE_CHECKING."""
        return [imported for node in ast.walk(self.tree) for imported in self._imports_of(node)]

    @cached_property
    def classes(self) -> list[str]:
        """The names of its public classes."""
        return [node.name for node in self.tree.body if isinstance(node, ast.ClassDef) and node.name[0] != "_"]

    def _imports_of(self, node: ast.AST) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(self.name, node.lineno, alias.name, "")
        elif isinstance(node, ast.ImportFrom):
            parts = self.name.split(".") if self.name else []
            package = parts if self.is_package else parts[:-1]
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                yield Import(self.name, node.lineno, module, alias.name)


class Source:
    """The source files of some packages.

    A name that a package's `__init__` only passes on is imported from the module that defines it.
    """

    def __init__(self, *packages: str, root: Path = ROOT) -> None:
        found = [Module(path, root) for package in packages for path in sorted((root / package).rglob("*.py"))]
        self.modules = {module.name: module for module in found}

    @cached_property
    def imports(self) -> list[Import]:
        """All imports between these modules; `module` is the one that defines the name."""
        found = [
            Import(imported.importer, imported.line, home, imported.name)
            for module in self.modules.values()
            for imported in module.imports
            if (home := self._home_of(imported))
        ]
        return [imported for imported in found if imported.module != imported.importer]

    def circles(self) -> list[list[Import]]:
        """The shortest import circle through each import that is part of one, each set of modules once."""
        imports = _without_dead_ends(self.imports)
        graph: dict[str, list[Import]] = {}
        for imported in imports:
            graph.setdefault(imported.importer, []).append(imported)
        found: dict[frozenset[str], list[Import]] = {}
        for imported in imports:
            way = _shortest_way(graph, imported.module, imported.importer)
            if way is not None:
                found.setdefault(frozenset(link.importer for link in [imported, *way]), [imported, *way])
        return sorted(found.values(), key=lambda way: (len(way), way[0].importer))

    def _home_of(self, imported: Import) -> str | None:
        """The module of this source that an import loads a name from; None for an import from elsewhere."""
        dotted = imported.dotted
        if dotted in self.modules:
            return dotted
        module = self.modules.get(imported.module)
        if module is None:
            return None
        if module.is_package and module.name != imported.importer:
            for passed_on in module.imports:
                if passed_on.name == imported.name:
                    return self._home_of(passed_on) or module.name
        return module.name


def _without_dead_ends(imports: list[Import]) -> list[Import]:
    """Only imports that may be part of a circle: their importer is imported, and their module imports."""
    while True:
        importers, imported = {link.importer for link in imports}, {link.module for link in imports}
        remaining = [link for link in imports if link.importer in imported and link.module in importers]
        if len(remaining) == len(imports):
            return remaining
        imports = remaining


def _shortest_way(graph: dict[str, list[Import]], start: str, end: str) -> list[Import] | None:
    ways: deque[tuple[str, list[Import]]] = deque([(start, [])])
    seen = {start}
    while ways:
        here, way = ways.popleft()
        for imported in graph.get(here, ()):
            if imported.module == end:
                return [*way, imported]
            if imported.module not in seen:
                seen.add(imported.module)
                ways.append((imported.module, [*way, imported]))
    return None


def shown(way: list[Import]) -> str:
    """A circle as text, one import per line."""
    return "\n".join(f"  {link.importer} (line {link.line}) imports {link.name} from {link.module}" for link in way)
