"""The workflows, handlers and activities of a Python file by its source alone: nothing of it is run.

For shell completion in a project that the user does not trust. What only running the code can tell (a computed name, a
class that another module defines) is not found.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

MOST_BYTES = 1 << 20
HANDLERS = ("signal", "query", "update")


@dataclass
class SourceNames:
    """Names in a source file.

    Attributes:
        workflows: The types of its workflows.
        activities: The types of its activities.
        handlers: Kind (`signal`, `query`, `update`) -> names as `Workflow.handler`.
    """

    workflows: list[str] = field(default_factory=list)
    activities: list[str] = field(default_factory=list)
    handlers: dict[str, list[str]] = field(default_factory=lambda: {kind: [] for kind in HANDLERS})


def names_in_source(path: Path) -> SourceNames:
    """The names in a file or a package's `__init__.py`; none where it is no Python source."""
    names = SourceNames()
    file = path / "__init__.py" if path.is_dir() else path
    try:
        with file.open("rb") as source:
            tree = ast.parse(source.read(MOST_BYTES))
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return names
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and (name := _marked(node, "workflow.defn")) is not None:
            names.workflows.append(name)
            for kind in HANDLERS:
                names.handlers[kind] += [f"{node.name}.{handler}" for handler in _handlers(node, kind)]
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            name = _marked(node, "activity.defn")
            names.activities += [] if name is None else [name]
    return names


def _handlers(workflow: ast.ClassDef, kind: str) -> Iterator[str]:
    for node in workflow.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            name = _marked(node, f"workflow.{kind}")
            if name is not None:
                yield name


def _marked(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef, decorator: str) -> str | None:
    """The name that the decorator gives, by default the node's own; None without the decorator."""
    for mark in node.decorator_list:
        call = mark if isinstance(mark, ast.Call) else None
        if ast.unparse(mark if call is None else call.func) == decorator:
            named = {keyword.arg: keyword.value for keyword in call.keywords}.get("name") if call else None
            return named.value if isinstance(named, ast.Constant) and isinstance(named.value, str) else node.name
    return None
