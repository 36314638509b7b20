"""Why a worker did not start or has ended, in words that say what to do."""

from __future__ import annotations


def causes(error: BaseException) -> str:
    """An error and what it came from, one a line."""
    lines = []
    cause: BaseException | None = error
    while cause is not None:
        lines.append(f"{type(cause).__name__}: {cause}")
        cause = cause.__cause__
    return "\n  because of ".join(lines)


def cannot_start(error: BaseException) -> str:
    """What the SDK says of workflows and activities that it refuses, and what to do about it."""
    text = f"the worker cannot start: {causes(error)}"
    if "Failed validating workflow" in text:
        text += (
            "\nthe sandbox imports a workflow's module again, so a module must not do work when it is imported; "
            "move that work into a function, or pass the module through: temporal.worker(..., passthrough=['module'])"
        )
    return text
