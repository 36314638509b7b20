"""Writes a project from a template. All is checked first, and no existing file is changed."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import DevServerError, FolderNotWritable, OptionError
from .templates import SUFFIX, Template

# Names that the project needs for its dependencies: pip cannot install two distributions of one name.
TAKEN = frozenset({"temporal-devserver", "devserver", "temporaltest", "temporalio", "pytest"})
MOST_SHOWN = 5


class FilesExist(DevServerError):
    """Files that a project needs exist already."""


@dataclass(frozen=True)
class Created:
    """A project that was written: its folder, its name and its files, relative to the folder."""

    folder: Path
    name: str
    files: tuple[str, ...]


def create(template: Template, folder: Path) -> Created:
    """Write a project into a folder, which is created if it does not exist.

    Raises:
        OptionError: The folder is a file, or its name cannot be that of a project.
        FilesExist: Files of the project exist already; none is changed.
        FolderNotWritable: The folder or a file cannot be written; what was written before is removed again.
    """
    name = _project_name(folder, template)
    texts = dict(_texts(template, name))
    _refuse_existing(folder, texts)
    written: list[Path] = []
    try:
        for path, text in texts.items():
            _make_folder((folder / path).parent, written)
            with open(folder / path, "x", encoding="utf-8", newline="\n") as file:  # noqa: PTH123 - pathlib has no mode "x"
                written.append(folder / path)
                file.write(text)
    except OSError as error:
        _remove(written)
        raise FolderNotWritable(
            f"cannot write the project: {error.filename or folder}: {error.strerror}",
            hint="name a folder in which you may write",
        ) from None
    return Created(folder, name, tuple(sorted(texts)))


def _project_name(folder: Path, template: Template) -> str:
    """The name of the folder as that of a project: lower case, with dashes."""
    if os.path.lexists(folder) and not folder.is_dir():
        raise OptionError(f"{folder} is not a folder", hint="name a folder for the project")
    if template.whole:
        return template.name
    name = re.sub(r"[^a-z0-9]+", "-", Path(os.path.abspath(folder)).name.lower()).strip("-")  # noqa: PTH100 - of `..`, too
    if name in TAKEN:
        raise OptionError(
            f"a project cannot be called {name}: its own dependencies have a package of that name",
            hint="name another folder",
        )
    return name or template.name


def _texts(template: Template, name: str) -> list[tuple[str, str]]:
    """The paths and texts of the project's files."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(  # noqa: S701 - Markdown, TOML and Python, not HTML
        undefined=StrictUndefined, keep_trailing_newline=True, trim_blocks=True, lstrip_blocks=True
    )
    values = {"name": name, "template": template}
    found = []
    for path, source in template.sources():
        text = source.read_text(encoding="utf-8")
        if source.suffix == SUFFIX:
            text = environment.from_string(text).render(values)
        elif not template.whole:
            text = text.replace("examples/", "")  # in the commands of its docstring
        found.append((path, text))
    return found


def _refuse_existing(folder: Path, texts: Mapping[str, str]) -> None:
    existing = [path for path in sorted(texts) if os.path.lexists(folder / path)]
    blocked = {
        above.as_posix()
        for path in texts
        for above in Path(path).parents
        if os.path.lexists(folder / above) and not (folder / above).is_dir()
    }
    found = [*existing, *sorted(blocked)]
    if found:
        more = len(found) - MOST_SHOWN
        raise FilesExist(
            f"{folder} has files of these names already, and nothing was written",
            details=[*found[:MOST_SHOWN], *([f"and {more} more"] if more > 0 else [])],
            hint="name a new folder",
        )


def _make_folder(folder: Path, written: list[Path]) -> None:
    """Create a folder with those above it, and note which are new."""
    missing = [above for above in (folder, *folder.parents) if not above.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    written += reversed(missing)


def _remove(written: list[Path]) -> None:
    """Remove what was written, the last first."""
    for path in reversed(written):
        with contextlib.suppress(OSError):
            if path.is_dir():
                path.rmdir()
            else:
                path.unlink()
