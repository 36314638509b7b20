"""The user's lines in tracebacks, in texts of tracebacks and in suspended coroutines: those a report shows."""

from __future__ import annotations

import asyncio
import concurrent
import importlib.util
import json
import linecache
import os
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

PACKAGE = Path(__file__).parents[1]
SDK = importlib.util.find_spec("temporalio")
INTERNAL = tuple(
    str(folder) + os.sep
    for folder in (
        PACKAGE,
        PACKAGE.with_name("temporaltest"),
        Path(asyncio.__file__).parent,
        Path(next(iter(concurrent.__path__))),
        Path(json.__file__).parent,
        *map(Path, (SDK.submodule_search_locations or ()) if SDK else ()),
    )
)
SDK_ELSEWHERE = re.compile(r"/(?:site|dist)-packages/temporalio/")
ENTRY = re.compile(r'^  File "(?P<file>[^"]+)", line \d+, in [^\n]*\n(?:    [^\n]*\n?|\n)*', re.MULTILINE)


class SourceLine(NamedTuple):
    """A line of code. Its text is the place and the code: `shop.py:12 in run: await charge()`."""

    file: str
    line: int
    function: str

    def __str__(self) -> str:
        code = linecache.getline(self.file, self.line).strip()
        return f"{shown_path(self.file)}:{self.line} in {self.function}" + (f": {code}" if code else "")


def shown_path(file: str) -> str:
    """A path as a person reads it: relative, if the file is below the current folder."""
    relative = os.path.relpath(file)
    return file if relative.startswith("..") else relative


def is_user_code(file: str) -> bool:
    """Whether a file is neither this distribution's, nor the SDK's, nor Python's machinery of loops, threads and JSON.

    Tracebacks in failures may come from another machine, so the SDK is also known by where packages are installed.
    """
    path = file.replace("\\", "/")
    internal = file.startswith((*INTERNAL, "<")) or SDK_ELSEWHERE.search(path)
    return not internal and not path.endswith(("/threading.py", "/contextlib.py"))


def suspended_at(coroutine: Any) -> list[SourceLine]:
    """Where a suspended coroutine waits: the user's lines, the innermost last."""
    lines = []
    while coroutine is not None:
        frame = next((f for n in ("cr_frame", "gi_frame", "ag_frame") if (f := getattr(coroutine, n, None))), None)
        if frame is not None and is_user_code(frame.f_code.co_filename):
            lines.append(SourceLine(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name))
        awaited = (getattr(coroutine, name, None) for name in ("cr_await", "gi_yieldfrom", "ag_await"))
        coroutine = next((inner for inner in awaited if inner is not None), None)
    return lines


def raised_at(error: BaseException) -> list[SourceLine]:
    """The user's lines of an exception's traceback, the innermost last."""
    return [line for line in _lines(error.__traceback__) if is_user_code(line.file)]


def _lines(traceback: TracebackType | None) -> Iterator[SourceLine]:
    while traceback is not None:
        code = traceback.tb_frame.f_code
        yield SourceLine(code.co_filename, traceback.tb_lineno, code.co_name)
        traceback = traceback.tb_next


def user_lines(text: str) -> str:
    """The user's entries of a formatted traceback, such as the stack trace of a Temporal failure; dedented."""
    entries = [match.group(0).rstrip() for match in ENTRY.finditer(text) if is_user_code(match.group("file"))]
    lines = "\n".join(line for entry in entries for line in entry.splitlines() if line.strip(" ^~"))
    return textwrap.dedent(lines)
