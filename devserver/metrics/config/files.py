"""Puts configuration into a folder, all of it or nothing, and never in place of somebody's own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ...errors import DevServerError, FolderNotWritable
from ...system.files import write_whole


class ConfigExists(DevServerError):
    """A file is there already, with another text."""


def write_files(folder: Path, texts: Mapping[str, str], *, force: bool = False) -> list[Path]:
    """Write each text to its place below `folder`, which is made; files that have it already are left as they are.

    Returns:
        The files, written or not.

    Raises:
        ConfigThere: One of them has another text; nothing is written. Not with `force`.
        FolderNotWritable: One cannot be written; what was there before is.
    """
    files = {folder / name: text for name, text in texts.items()}
    try:
        wanted = {path: text for path, text in files.items() if _text(path) != text}
        there = [path for path in wanted if path.exists()]
        if there and not force:
            raise ConfigExists(
                f"{there[0]} is there already, with another text",
                details=[str(path) for path in there[1:]],
                hint="--force replaces it; or choose another folder with --output",
            )
        for path in wanted:
            path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(wanted)
    except OSError as error:
        raise FolderNotWritable(
            f"cannot write to {folder}: {error.strerror}", hint="choose another folder with --output"
        ) from error
    return list(files)


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        return ""


def yaml_text(value: Any, *comments: str) -> str:
    """The document, with comments above it."""
    return "".join(f"{line}\n" for line in [*(f"# {comment}".rstrip() for comment in comments), *_lines(value)])


def _lines(value: Any) -> Iterator[str]:
    if isinstance(value, dict) and value:
        for key, each in value.items():
            yield from _entry(f"{key}:", each)
    elif isinstance(value, list) and value:
        for each in value:
            first, *rest = _lines(each)
            yield f"- {first}"
            yield from (f"  {line}" for line in rest)
    else:
        yield json.dumps(value, ensure_ascii=False)


def _entry(head: str, value: Any) -> Iterator[str]:
    if isinstance(value, (dict, list)) and value:
        yield head
        yield from (f"  {line}" for line in _lines(value))
    else:
        yield f"{head} {next(_lines(value))}"
