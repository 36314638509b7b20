"""Where an open workflow waits, and which messages it takes: asked of its worker, or found by a replay of its code."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from temporalio.api.common.v1 import WorkflowExecution

from ..client import MessageHandler, ServiceCalls, WorkflowWaits, ask_waits
from ..client.waits import LIMIT, NO_LINE
from ..replay import Candidate, HistoryOutcome, Outcome, ReplayPool

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
    calls: ServiceCalls,
    candidates: Sequence[Candidate],
    pool: ReplayPool | None = None,
    *,
    ask: Callable[[Candidate], bool] = lambda _: True,
    limit: timedelta = LIMIT,
) -> Sequence[WaitingPlaces]:
    """Where open runs wait, in their order.

    All workers are asked at the same time; one that does not answer is no error.

    Args:
        calls: Of the namespace.
        candidates: The runs.
        pool: Replays the histories with the module that has their code; None: the workers are asked for the line too.
        ask: Whether the worker of a run is asked.
        limit: How long a worker may take for an answer.

    Raises:
        CannotAsk: The server does not answer.
    """

    async def asked(candidate: Candidate) -> WorkflowWaits:
        if not ask(candidate):
            return WorkflowWaits()
        execution = WorkflowExecution(workflow_id=candidate.workflow_id, run_id=candidate.run_id)
        return await ask_waits(calls, execution, limit=limit)

    answers = await asyncio.gather(*map(asked, candidates))
    outcomes: dict[str, HistoryOutcome] = {}
    if pool is not None:
        outcomes = {outcome.candidate.run_id: outcome async for outcome in pool.replay(candidates)}
    return [
        _places(answer, pool, outcomes.get(candidate.run_id))
        for answer, candidate in zip(answers, candidates, strict=True)
    ]


def _places(answer: WorkflowWaits, pool: ReplayPool | None, outcome: HistoryOutcome | None) -> WaitingPlaces:
    stacks = [[str(frame) for frame in stack] for stack in answer.stacks]
    notes = [answer.problem] if answer.problem else []
    if pool is None:
        if answer.problem == NO_LINE:
            notes = [PYTHON]
    elif outcome is not None and outcome.outcome is Outcome.REPLAYS:
        stacks, notes = [list(stack)[::-1] for stack in outcome.stacks], notes if not answer.handlers else []
    elif outcome is not None and outcome.failure is not None:
        notes.append(f"the history does not replay with {pool.spec}: {outcome.failure.reason}")
    return WaitingPlaces(stacks, answer.handlers, answer.details, notes)
