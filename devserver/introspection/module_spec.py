"""Parses `package.module:NAME` and `path/to/file.py:NAME`: the module, and the folders to import it from."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from pathlib import Path

from .errors import ModuleUnknown

PROJECT_FILES = ("pyproject.toml", "setup.py", "setup.cfg", ".git")
MOST_SHOWN = 80
FORM = "name it as package.module or path/to/file.py, each with an optional :NAME"


@dataclass(frozen=True)
class ModuleSpec:
    """A module to import.

    Attributes:
        text: The specification.
        module: The import name.
        roots: The folders for the front of `sys.path`.
        project: The folder of the user's own code (absolute).
        more: The folders for the end of `sys.path`.
        file: The path that was given; None for a dotted name.
        name: The name after the colon.
    """

    text: str
    module: str
    roots: tuple[Path, ...]
    project: Path
    more: tuple[Path, ...] = ()
    file: Path | None = None
    name: str | None = None

    def extend_path(self) -> None:
        """Change `sys.path` so that Python finds the module, as `python -m` would."""
        for root in reversed([str(folder) for folder in self.roots]):
            if root in sys.path:
                sys.path.remove(root)
            sys.path.insert(0, root)
        sys.path += [str(folder) for folder in self.more if str(folder) not in sys.path]
        importlib.invalidate_caches()


def parse(text: str) -> ModuleSpec:
    """Parse a specification.

    Raises:
        ModuleUnknown: It is malformed, or the file does not exist.
    """
    try:
        return _parse(text)
    except (OSError, ValueError) as error:  # a name that is too long for the file system, or has a zero byte
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ModuleUnknown(f"there is no module {text[:MOST_SHOWN]}: {reason}", hint=FORM) from None


def _parse(text: str) -> ModuleSpec:
    where, _, name = text.partition(":")
    if not where or (":" in text and not name):
        raise ModuleUnknown(f"{text!r} does not name a module", hint=FORM)
    here = Path.cwd()
    if where.endswith(".py") or "/" in where or where in (".", ".."):
        return _of_file(text, Path(where), name or None)
    if not all(part and part.isprintable() and " " not in part for part in where.split(".")):
        raise ModuleUnknown(f"{where!r} is not the name of a module", hint=FORM)
    roots = [here]
    top = where.partition(".")[0]
    if not _has(here, top) and _has(here / "src", top):
        roots.insert(0, here / "src")
    return ModuleSpec(text, where, tuple(roots), _project(here), name=name or None)


def _of_file(text: str, path: Path, name: str | None) -> ModuleSpec:
    absolute = path.absolute().resolve()
    if absolute.is_dir():
        if not (absolute / "__init__.py").is_file():
            raise ModuleUnknown(
                f"the folder {path} is not a package: it has no __init__.py", hint="name one of its files, or a package"
            )
    elif not absolute.is_file():
        raise ModuleUnknown(f"there is no file {path}", hint=FORM)
    elif absolute.suffix != ".py":
        raise ModuleUnknown(f"{path} is not a Python file", hint=FORM)
    parts = [] if absolute.name == "__init__.py" else [absolute.stem if absolute.is_file() else absolute.name]
    root = absolute.parent
    if absolute.name == "__init__.py":
        parts, root = [root.name], root.parent
    while (root / "__init__.py").is_file():
        parts.insert(0, root.name)
        root = root.parent
    if any("." in part for part in parts):
        raise ModuleUnknown(f"cannot import {path}: the name of a module has no dots", hint="rename it")
    project = _project(root)
    more = [folder for folder in (Path.cwd(), project / "src", project) if folder.is_dir()]
    return ModuleSpec(text, ".".join(parts), (root,), project, tuple(more), path, name)


def _project(root: Path) -> Path:
    """The nearest parent folder that contains a project file; else `root` itself."""
    for folder in (root, *root.parents):
        if any((folder / file).exists() for file in PROJECT_FILES):
            return folder
    return root


def _has(folder: Path, name: str) -> bool:
    return (folder / f"{name}.py").is_file() or (folder / name).is_dir()
