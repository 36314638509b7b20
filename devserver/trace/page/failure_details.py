"""Failures on the page of a trace: the root cause and the user's lines first, all other frames folded."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

from temporalio.api.failure.v1 import Failure
from temporalio.converter import DataConverter

from ...client.failures import failure_text
from ...history.failure_facts import failure_facts
from ...replay.source_lines import ENTRY, user_lines


@dataclass(frozen=True)
class PageDetail:
    """A name and a text of an opened row. `folded` is a further text, behind a title of its own."""

    name: str
    text: str
    folded: str = ""
    folded_title: str = ""


async def failure_detail(name: str, failure: Failure, converter: DataConverter, retry_state: str) -> PageDetail:
    """A failure: its facts, its root cause with the user's lines; the whole chain with all frames is folded.

    Stack traces of other SDKs than Python's are not split: the whole chain is shown.
    """
    user: list[str] = []
    frames = 0

    def of_user(trace: str) -> list[str]:
        nonlocal frames
        frames += len(ENTRY.findall(trace))
        user.append(user_lines(trace))
        return trace.splitlines()

    whole = await failure_text(failure, converter, stack_lines=of_user)
    facts = await failure_facts(failure, converter, retry_state)
    if not frames:
        return PageDetail(name, "\n".join([*facts.words(), *whole.lines]))
    own = [textwrap.indent(lines, "  ") for lines in reversed(user) if lines]
    others = frames - sum(len(ENTRY.findall(lines)) for lines in user)
    title = f"Whole chain with {others:,} more frames (SDK, devserver, Python)" if others else "Whole chain"
    return PageDetail(name, "\n".join([whole.line, *own, *facts.words()]), "\n".join(whole.lines), title)
