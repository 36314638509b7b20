"""Failures as Temporal keeps them, in a few lines: message, causes, and the user's part of the traceback."""

from __future__ import annotations

from temporalio.api.failure.v1 import Failure
from temporalio.converter import DataConverter

from .tracebacks import users_lines

MOST_CAUSES = 10
MOST_CHARACTERS = 2000


async def described(failure: Failure, converter: DataConverter) -> list[str]:
    """The failure and its causes, the outermost first."""
    lines: list[str] = []
    current: Failure | None = failure
    for depth in range(MOST_CAUSES):
        if current is None:
            break
        readable = await _readable(current, converter)
        lines.append(("caused by " if depth else "") + summary(readable))
        lines += [f"  {line}" for line in users_lines(readable.stack_trace).splitlines()]
        current = current.cause if current.HasField("cause") else None
    return lines


def summary(failure: Failure) -> str:
    """A failure's type and message, without its causes."""
    info = failure.WhichOneof("failure_info") or ""
    kind = failure.application_failure_info.type
    if info != "application_failure_info":
        kind = info.removesuffix("_failure_info").replace("_", " ")
    message = cut(failure.message or "(no message)")
    if info == "activity_failure_info":
        kind = f"activity {failure.activity_failure_info.activity_type.name}"
    if info == "child_workflow_execution_failure_info":
        kind = f"child workflow {failure.child_workflow_execution_failure_info.workflow_execution.workflow_id}"
    return message if not kind or message.startswith(f"{kind}:") else f"{kind}: {message}"


def cut(text: str, most: int = MOST_CHARACTERS) -> str:
    """A text without the rest of it where it is too long."""
    return text if len(text) <= most else f"{text[:most]}... ({len(text) - most} more characters)"


async def _readable(failure: Failure, converter: DataConverter) -> Failure:
    """The failure with its message decoded, if it is encoded and can be."""
    if not failure.HasField("encoded_attributes"):
        return failure
    copy = Failure()
    copy.CopyFrom(failure)
    copy.ClearField("cause")
    try:
        error = await converter.decode_failure(copy)
    except Exception:  # noqa: BLE001 - it may be the decoding that the test is about
        return failure
    decoded = getattr(error, "failure", None)
    return decoded if isinstance(decoded, Failure) else failure
