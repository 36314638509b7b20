"""What went wrong in a step, as the index stores it: a failure, a reason, a cause, a timeout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from temporalio.api.enums.v1 import EventType, TimeoutType
from temporalio.api.failure.v1 import Failure

from ..client.failures import failure_text
from ..history.events import cause_words
from ..history.failure_facts import failure_facts

if TYPE_CHECKING:
    from temporalio.converter import DataConverter

MAX_TEXT = 16_384
# Looked up once: an enum's names take their time, and there are many events.
TASK_TIMED_OUT = int(EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT)
RUN_TIMED_OUT = int(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT)


@dataclass(frozen=True)
class IndexedFailure:
    """A failure: `line` is shown in lists, `text` is searched."""

    line: str
    text: str


async def indexed_failure(failure: Failure, converter: DataConverter) -> IndexedFailure:
    """A failure with its causes, decoded as far as the converter can."""
    text = await failure_text(failure, converter)
    facts = await failure_facts(failure, converter)
    return IndexedFailure(storable(text.line), storable("\n".join([*text.lines, *facts.words()])[:MAX_TEXT]))


def problem_in(kind: int, attributes: Any, fields: frozenset[str]) -> str:
    """What went wrong where an event has no failure: a reason, a cause, a timeout; empty if nothing did."""
    if kind == TASK_TIMED_OUT:
        limit = TimeoutType.Name(attributes.timeout_type).removeprefix("TIMEOUT_TYPE_")
        return f"timed out: {limit.replace('_', ' ').lower()}"
    if kind == RUN_TIMED_OUT:
        return "timed out"
    if "reason" in fields and attributes.reason:
        return str(attributes.reason)
    return cause_words(attributes) if "cause" in fields else ""


def storable(text: str) -> str:
    """The text as SQLite can store it: without zero bytes and lone surrogates."""
    return text.replace("\0", " ").encode("utf-8", "replace").decode("utf-8")
