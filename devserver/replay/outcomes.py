"""What became of one history in a replay, and which histories fail in the same way."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

NAMES = re.compile(r"\d+|'[^']*'|\"[^\"]*\"")


@dataclass(frozen=True)
class Candidate:
    """A history to replay: a run on a server, or a file.

    Attributes:
        workflow_id, run_id, workflow_type: The run; of a file, as far as the file has been read.
        file: The path of the file; None for a run on a server.
    """

    workflow_id: str
    run_id: str
    workflow_type: str
    file: str | None = None


class Outcome(str, Enum):
    """What became of a history."""

    REPLAYS = "replays"
    DIVERGES = "diverges"
    NO_CODE = "no code"
    FAILED = "cannot be replayed"
    GONE = "deleted"


@dataclass(frozen=True)
class ReplayFailure:
    """Why a history does not replay.

    Attributes:
        reason: The reason, as the SDK gives it, in one sentence.
        event_id, event: The nearest event; 0 and empty if the history had none left.
        where: Where the code was: lines for a person to read.
        place: The innermost line of the workflow's code, as `file:line`; empty if it is unknown.
    """

    reason: str
    event_id: int = 0
    event: str = ""
    where: Sequence[str] = ()
    place: str = ""


@dataclass(frozen=True)
class HistoryOutcome:
    """The outcome of one history.

    Attributes:
        events: How many events it has.
        failure: Why it does not replay.
        stacks: Where the code was at its end: the user's lines of each task, the innermost last; of a workflow that is
            open, where it waits.
    """

    candidate: Candidate
    outcome: Outcome
    events: int = 0
    failure: ReplayFailure | None = None
    stacks: Sequence[Sequence[str]] = ()

    @property
    def bad(self) -> bool:
        """Whether today's code does not run on with this history."""
        return self.outcome in (Outcome.DIVERGES, Outcome.NO_CODE, Outcome.FAILED)


@dataclass(frozen=True)
class FailureGroup:
    """Histories that fail in the same way, the first of them as the example."""

    outcomes: Sequence[HistoryOutcome]

    @property
    def example(self) -> HistoryOutcome:
        """The one with the fewest events."""
        return min(self.outcomes, key=lambda outcome: (outcome.events, outcome.candidate.workflow_id))

    @property
    def workflow_type(self) -> str:
        """The type of all of them."""
        return self.example.candidate.workflow_type


def group_failures(outcomes: Iterable[HistoryOutcome]) -> list[FailureGroup]:
    """The bad outcomes by what fails: the workflow type, the line of code and the reason; the largest group first."""
    groups: defaultdict[tuple[object, ...], list[HistoryOutcome]] = defaultdict(list)
    for outcome in outcomes:
        if outcome.bad:
            failure = outcome.failure
            why = (failure.place, NAMES.sub("*", failure.reason)) if failure is not None else ("", "")
            groups[outcome.outcome, outcome.candidate.workflow_type, why].append(outcome)
    return sorted(map(FailureGroup, groups.values()), key=lambda group: -len(group.outcomes))
