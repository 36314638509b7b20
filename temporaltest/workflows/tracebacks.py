"""The user's lines of tracebacks and failures: the only ones that a report of a test shows."""

from __future__ import annotations

import asyncio
import concurrent
import linecache
import os
import re
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import pytest
    from temporalio.api.failure.v1 import Failure
    from temporalio.converter import DataConverter

INTERNAL = tuple(
    str(folder) + os.sep
    for folder in (Path(__file__).parents[1], Path(asyncio.__file__).parent, Path(next(iter(concurrent.__path__))))
)
MAX_CHARACTERS = 2000
ENTRY = re.compile(r'^  File "(?P<file>[^"]+)", line \d+, in [^\n]*\n(?:    [^\n]*\n?|\n)*', re.MULTILINE)


class SourceLine(NamedTuple):
    """A line of code."""

    file: str
    line: int
    function: str

    def __str__(self) -> str:
        """The place and its source, on one line."""
        code = linecache.getline(self.file, self.line).strip()
        return f"{shown(self.file)}:{self.line} in {self.function}" + (f": {code}" if code else "")


def shown(file: str) -> str:
    """A path as a person wants to read it: relative where the file is below the current folder."""
    relative = os.path.relpath(file)
    return file if relative.startswith("..") else relative


def is_users(file: str) -> bool:
    """Whether a file is neither ours, nor the SDK's, nor Python's machinery of loops and threads."""
    path = file.replace("\\", "/")
    internal = file.startswith((*INTERNAL, "<")) or "/temporalio/" in path
    return not internal and not path.endswith(("/threading.py", "/contextlib.py"))


def places_of(coroutine: Any) -> list[SourceLine]:
    """Where a suspended coroutine stands: the user's lines, the innermost last."""
    places = []
    while coroutine is not None:
        frame = next((f for n in ("cr_frame", "gi_frame", "ag_frame") if (f := getattr(coroutine, n, None))), None)
        if frame is not None and is_users(frame.f_code.co_filename):
            places.append(SourceLine(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name))
        awaited = (getattr(coroutine, name, None) for name in ("cr_await", "gi_yieldfrom", "ag_await"))
        coroutine = next((each for each in awaited if each is not None), None)
    return places


def raised_at(error: BaseException) -> list[SourceLine]:
    """The user's lines of an exception's traceback, the innermost last."""
    return [SourceLine(*each) for each in _walk(error.__traceback__) if is_users(each[0])]


def _walk(tb: TracebackType | None) -> Iterator[tuple[str, int, str]]:
    while tb is not None:
        yield tb.tb_frame.f_code.co_filename, tb.tb_lineno, tb.tb_frame.f_code.co_name
        tb = tb.tb_next


def users_lines(text: str) -> str:
    """The user's entries of a formatted traceback, such as a failure of Temporal's carries it."""
    entries = [match.group(0).rstrip() for match in ENTRY.finditer(text) if is_users(match.group("file"))]
    lines = "\n".join(line for entry in entries for line in entry.splitlines() if line.strip(" ^~"))
    return textwrap.dedent(lines)


async def failure_lines(failure: Failure, converter: DataConverter) -> list[str]:
    """A failure of Temporal and its causes, the outermost first, with the user's part of the stack traces."""
    from devserver.client import failure_text

    text = await failure_text(failure, converter, stack_lines=lambda stack: users_lines(stack).splitlines())
    return [cut(line) for line in text.lines]


def cut(text: str, limit: int = MAX_CHARACTERS) -> str:
    """A text of at most `limit` characters, and how many more there are."""
    return text if len(text) <= limit else f"{text[:limit]}... ({len(text) - limit} more characters)"


def shorten(info: pytest.ExceptionInfo[BaseException]) -> None:
    """Leave of a test's failure the user's lines, and say with a workflow's failure where in the workflow it was."""
    kept = _without_internals(info.tb)
    if kept is not None:
        info.traceback = type(info.traceback)(kept)
    for error in _chain(info.value):
        if error is not info.value:
            error.__traceback__ = _without_internals(error.__traceback__)
        if type(error.__cause__ or error.__context__).__module__ == "temporal_sdk_bridge":
            error.__cause__ = error.__context__ = None  # the same once more, as bytes
        _annotate(error)


def set_headline(report: pytest.TestReport, error: BaseException) -> None:
    """Let the line of the short summary, which is cut, begin with the cause; JUnit's message is the same."""
    crash = getattr(report.longrepr, "reprcrash", None)
    kind = type(error)
    if crash is None or not kind.__module__.startswith(("temporalio.", "temporaltest.")):
        return
    cause = error  # what a workflow, a child or an activity failed with is the `cause` of the SDK's errors
    while isinstance(inner := getattr(cause, "cause", None), BaseException):
        cause = inner
    crash.message = f"{kind.__name__}: {cause}"


def _chain(error: BaseException | None) -> Sequence[BaseException]:
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        seen.append(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return seen


def _without_internals(tb: TracebackType | None) -> TracebackType | None:
    rest: TracebackType | None = None
    links: list[TracebackType] = []
    while tb is not None:
        links.append(tb)
        tb = tb.tb_next
    for link in reversed(links):
        if is_users(link.tb_frame.f_code.co_filename):
            rest = TracebackType(rest, link.tb_frame, link.tb_lasti, link.tb_lineno)
    return rest


def _annotate(error: BaseException) -> None:
    """A failure that came over the wire has no traceback, but the text of one; Python 3.10 has no notes."""
    stack = getattr(getattr(error, "failure", None), "stack_trace", "")
    lines = users_lines(stack) if isinstance(stack, str) else ""
    if lines and hasattr(error, "add_note") and lines not in getattr(error, "__notes__", ()):
        error.add_note(lines)
