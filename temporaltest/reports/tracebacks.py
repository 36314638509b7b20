"""Tracebacks and failures as a report of a test shows them: the user's lines only."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from devserver.replay import is_user_code, user_lines

from ..errors import TemporalTestError
from ..workers.advice import advice

if TYPE_CHECKING:
    import pytest
    from temporalio.api.failure.v1 import Failure
    from temporalio.converter import DataConverter

MAX_CHARACTERS = 2000


async def failure_lines(failure: Failure, converter: DataConverter) -> list[str]:
    """A failure of Temporal and its causes, the outermost first, with the user's part of the stack traces."""
    from devserver.client import failure_text

    text = await failure_text(failure, converter, stack_lines=lambda stack: user_lines(stack).splitlines())
    return [cut(line) for line in text.lines]


def cut(text: str, limit: int = MAX_CHARACTERS) -> str:
    """A text of at most `limit` characters, and how many more there are."""
    return text if len(text) <= limit else f"{text[:limit]}... ({len(text) - limit} more characters)"


def shorten(info: pytest.ExceptionInfo[BaseException]) -> None:
    """Keep only the user's lines of a test's traceback, and add those of the workflow's code to its failure."""
    kept = _without_internals(info.tb)
    if kept is not None:
        info.traceback = type(info.traceback)(kept)
    for error in _chain(info.value):
        if error is not info.value:
            error.__traceback__ = _without_internals(error.__traceback__)
        if type(error.__cause__ or error.__context__).__module__ == "temporal_sdk_bridge":
            error.__cause__ = error.__context__ = None  # the same failure again, as bytes
        _annotate(error)


def set_headline(report: pytest.TestReport, error: BaseException) -> None:
    """Start the line of the short summary, which pytest cuts, with the cause. JUnit's message is the same line."""
    crash = getattr(report.longrepr, "reprcrash", None)
    kind = type(error)
    if crash is None or not kind.__module__.startswith(("temporalio.", "temporaltest.")):
        return
    cause = error  # the SDK's errors have the failure of a workflow, a child or an activity as `cause`
    while isinstance(inner := getattr(cause, "cause", None), BaseException):
        cause = inner
    first, *rest = f"{kind.__name__}: {cause}".splitlines() or [kind.__name__]
    hint = "" if isinstance(error, TemporalTestError) else advice(first)
    crash.message = "\n".join([f"{first}; {hint}" if hint else first, *rest])


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
        if is_user_code(link.tb_frame.f_code.co_filename):
            rest = TracebackType(rest, link.tb_frame, link.tb_lasti, link.tb_lineno)
    return rest


def _annotate(error: BaseException) -> None:
    """Add the text of the traceback to a failure from the server, which has no traceback. Python 3.10 has no notes."""
    stack = getattr(getattr(error, "failure", None), "stack_trace", "")
    lines = user_lines(stack) if isinstance(stack, str) else ""
    hint = "" if isinstance(error, TemporalTestError) else advice(str(error))
    lines = "\n".join(filter(None, [lines, hint]))
    if lines and hasattr(error, "add_note") and lines not in getattr(error, "__notes__", ()):
        error.add_note(lines)
