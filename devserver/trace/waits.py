"""Where an open workflow waits, and which messages it takes: asked of its worker, or found by a replay of its code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from temporalio.api.common.v1 import WorkflowExecution

from ..client import MessageHandler, ServiceCalls, ask_waits
from ..replay import Candidate, Outcome, ReplayOptions, ReplayPool

PYTHON = "the Python SDK's stack trace has no line of the workflow's code; name its module with --module"


@dataclass(frozen=True)
class WaitingPlaces:
    """Where a workflow waits and what it takes.

    Attributes:
        stacks: The lines of its code that wait, the innermost first: a list for each coroutine or task.
        handlers: The signals, updates and queries that it takes.
        details: Its current details, as its code has set them.
        notes: Sentences about what is unknown, and why.
    """

    stacks: Sequence[Sequence[str]]
    handlers: Sequence[MessageHandler]
    details: str
    notes: Sequence[str]


async def find_waiting_places(
    calls: ServiceCalls, candidate: Candidate, module: ReplayOptions | None = None
) -> WaitingPlaces:
    """Where an open run waits.

    Args:
        calls: Of its namespace.
        candidate: The run.
        module: The module that has its code, to replay its history with; None: its worker is asked for the line too.

    Raises:
        IntrospectionError, NothingToReplay: The module cannot be used.
        CannotAsk: The server does not answer.
    """
    execution = WorkflowExecution(workflow_id=candidate.workflow_id, run_id=candidate.run_id)
    asked = await ask_waits(calls, execution)
    stacks = [[str(frame) for frame in stack] for stack in asked.stacks]
    notes = [asked.problem] if asked.problem else []
    if module is None:
        if not stacks and asked.handlers:
            notes = [PYTHON]
        return WaitingPlaces(stacks, asked.handlers, asked.details, notes)
    async with ReplayPool(module, 1) as pool:
        async for outcome in pool.replay([candidate]):
            if outcome.outcome is Outcome.REPLAYS:
                stacks, notes = [list(stack)[::-1] for stack in outcome.stacks], notes if not asked.handlers else []
            elif outcome.failure is not None:
                notes.append(f"the history does not replay with {module.spec}: {outcome.failure.reason}")
    return WaitingPlaces(stacks, asked.handlers, asked.details, notes)
