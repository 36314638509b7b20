"""The files of a configuration: as YAML, and written into a folder.

YAML is written here, in twenty lines: mappings and lists in block style, every string quoted as in JSON, which YAML
includes. PyYAML would be a compiled dependency of every installation for one command. The tests read files with it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ...errors import DevServerError, FolderNotWritable
from ...system.files import write_whole


class ConfigExists(DevServerError):
    """A file of the configuration exists with other content."""


def write_files(folder: Path, texts: Mapping[str, str], *, force: bool = False) -> list[Path]:
    """Write each text to its path below `folder`: all of them, or none.

    Creates the folder. Files that already have the text are not touched.

    Returns:
        The paths of all files.

    Raises:
        ConfigExists: A file exists with other content, without `force`; nothing is written.
        FolderNotWritable: A file cannot be written; the existing files are unchanged.
    """
    files = {folder / name: text for name, text in texts.items()}
    try:
        different = {path: text for path, text in files.items() if _read(path) != text}
        existing = [path for path in different if path.exists()]
        if existing and not force:
            raise ConfigExists(
                f"{existing[0]} exists with other content",
                details=[str(path) for path in existing[1:]],
                hint="replace it with --force, or choose another folder with --output",
            )
        for path in different:
            path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(different)
    except OSError as error:
        raise FolderNotWritable(
            f"cannot write to {folder}: {error.strerror}", hint="choose another folder with --output"
        ) from error
    return list(files)


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        return ""


def yaml_text(value: Any, *comments: str) -> str:
    """A YAML document with comments above it."""
    return "".join(f"{line}\n" for line in [*(f"# {comment}".rstrip() for comment in comments), *_lines(value)])


def _lines(value: Any) -> Iterator[str]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _entry(f"{key}:", item)
    elif isinstance(value, list) and value:
        for item in value:
            first, *rest = _lines(item)
            yield f"- {first}"
            yield from (f"  {line}" for line in rest)
    else:
        yield json.dumps(value, ensure_ascii=False)


def _entry(key: str, value: Any) -> Iterator[str]:
    if isinstance(value, (dict, list)) and value:
        yield key
        yield from (f"  {line}" for line in _lines(value))
    else:
        yield f"{key} {next(_lines(value))}"
