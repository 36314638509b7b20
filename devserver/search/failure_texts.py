"""What is told of something that went wrong: a failure, a reason, a cause, a time limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from temporalio.api.enums.v1 import EventType, TimeoutType
from temporalio.api.failure.v1 import Failure
from temporalio.converter import DataConverter

from ..client.failures import failure_text

MOST_TEXT = 16_384
# Looked up once: an enum's names take their time, and there are many events.
TASK_TIMED_OUT = int(EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT)
RUN_TIMED_OUT = int(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT)


@dataclass(frozen=True)
class IndexedFailure:
    """A failure: one line for a list, and all of it to be searched."""

    line: str
    text: str


async def indexed_failure(failure: Failure, converter: DataConverter) -> IndexedFailure:
    """A failure with its causes, decoded as far as the converter can."""
    text = await failure_text(failure, converter)
    line = _at_the_root(text.lines) or text.line
    return IndexedFailure(_clean(line), _clean("\n".join(text.lines)[:MOST_TEXT]))


def said(kind: int, attributes: Any, fields: frozenset[str]) -> str:
    """What went wrong where there is no failure: a reason, a cause, a time limit."""
    if kind == TASK_TIMED_OUT:
        limit = TimeoutType.Name(attributes.timeout_type).removeprefix("TIMEOUT_TYPE_")
        return f"timed out: {limit.replace('_', ' ').lower()}"
    if kind == RUN_TIMED_OUT:
        return "timed out"
    if "reason" in fields and attributes.reason:
        return str(attributes.reason)
    if "cause" not in fields or not attributes.cause:
        return ""
    if isinstance(attributes.cause, str):
        return attributes.cause
    names = attributes.DESCRIPTOR.fields_by_name["cause"].enum_type.values_by_number
    return names[attributes.cause].name if attributes.cause in names else f"cause {attributes.cause}"


def _at_the_root(lines: tuple[str, ...]) -> str:
    """The innermost cause, as one line: what wraps it says only where it came through."""
    causes = [line for line in lines if line.startswith("caused by ")]
    return causes[-1].removeprefix("caused by ")[:300] if causes else ""


def _clean(text: str) -> str:
    """As SQLite can keep it: no zero bytes, no halves of letters."""
    return text.replace("\0", " ").encode("utf-8", "replace").decode("utf-8")
