"""What `package.module:NAME` or `path/to/file.py:NAME` says: which module, and the folders that it is imported from."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from pathlib import Path

from .errors import ModuleUnknown

MARKS = ("pyproject.toml", "setup.py", "setup.cfg", ".git")
FORM = "name it as package.module or path/to/file.py, each with an optional :NAME"


@dataclass(frozen=True)
class ModuleSpec:
    """A module by its import name; `roots` go to the front of `sys.path`, `more` to its end.

    `project` (absolute) is whose code counts.
    `file` is the path that was given, None for a dotted name. `name` is what stands after the colon.
    """

    text: str
    module: str
    roots: tuple[Path, ...]
    project: Path
    more: tuple[Path, ...] = ()
    file: Path | None = None
    name: str | None = None

    def on_path(self) -> None:
        """Have Python find the module, as `python -m` would."""
        for root in reversed([str(each) for each in self.roots]):
            if root in sys.path:
                sys.path.remove(root)
            sys.path.insert(0, root)
        sys.path += [str(each) for each in self.more if str(each) not in sys.path]
        importlib.invalidate_caches()


def parse(text: str) -> ModuleSpec:
    """What a specification says.

    Raises:
        ModuleUnknown: It has no such form, or the file is not there.
    """
    where, _, name = text.partition(":")
    if not where or (":" in text and not name):
        raise ModuleUnknown(f"{text!r} names no module", hint=FORM)
    here = Path.cwd()
    if where.endswith(".py") or "/" in where or where in (".", ".."):
        return _of_file(text, Path(where), name or None)
    if not all(part and part.isprintable() and " " not in part for part in where.split(".")):
        raise ModuleUnknown(f"{where!r} is no module's name", hint=FORM)
    roots = [here]
    top = where.partition(".")[0]
    if not _has(here, top) and _has(here / "src", top):
        roots.insert(0, here / "src")
    return ModuleSpec(text, where, tuple(roots), _project(here), name=name or None)


def _of_file(text: str, path: Path, name: str | None) -> ModuleSpec:
    whole = path.absolute().resolve()
    if whole.is_dir():
        if not (whole / "__init__.py").is_file():
            raise ModuleUnknown(
                f"the folder {path} is no package: it has no __init__.py", hint="name one of its files, or a package"
            )
    elif not whole.is_file():
        raise ModuleUnknown(f"there is no file {path}", hint=FORM)
    elif whole.suffix != ".py":
        raise ModuleUnknown(f"{path} is no Python file", hint=FORM)
    parts = [] if whole.name == "__init__.py" else [whole.stem if whole.is_file() else whole.name]
    root = whole.parent
    if whole.name == "__init__.py":
        parts, root = [root.name], root.parent
    while (root / "__init__.py").is_file():
        parts.insert(0, root.name)
        root = root.parent
    if any("." in part for part in parts):
        raise ModuleUnknown(f"{path} cannot be imported: a module's name has no dots", hint="rename it")
    project = _project(root)
    more = [each for each in (Path.cwd(), project / "src", project) if each.is_dir()]
    return ModuleSpec(text, ".".join(parts), (root,), project, tuple(more), path, name)


def _project(root: Path) -> Path:
    """The nearest folder upwards that is a project's, else `root` itself."""
    for folder in (root, *root.parents):
        if any((folder / mark).exists() for mark in MARKS):
            return folder
    return root


def _has(folder: Path, name: str) -> bool:
    return (folder / f"{name}.py").is_file() or (folder / name).is_dir()
