"""The report of a replay: what was replayed, what fails and how often, in words that all of its forms share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import cached_property

from .outcomes import FailureGroup, HistoryOutcome, Outcome, group_failures

NONDETERMINISTIC = "(non-deterministic, TMPRL1100)"
ADVICE = (
    "keep the old path for running workflows: guard the change with workflow.patched(), or leave them on their build "
    "(devserver deployment)"
)


@dataclass(frozen=True)
class TypeCount:
    """How the histories of one workflow type replayed."""

    workflow_type: str
    good: int
    bad: int
    events: int


@dataclass(frozen=True)
class ReplayReport:
    """What became of all histories of a replay.

    Attributes:
        spec: The module that they were replayed against.
        outcomes: Of each history.
        notes: Sentences about how the histories were chosen.
        again: The words of the command, which `--debug` is added to.
        source: The server or the files that had the histories.
        at: When the replay ended.
    """

    spec: str
    outcomes: Sequence[HistoryOutcome]
    notes: Sequence[str] = ()
    again: Sequence[str] = ()
    source: str = ""
    at: datetime = field(default_factory=lambda: datetime.now(timezone.utc))

    @cached_property
    def counts(self) -> Counter[Outcome]:
        """The number of histories with each outcome."""
        return Counter(outcome.outcome for outcome in self.outcomes)

    @cached_property
    def groups(self) -> Sequence[FailureGroup]:
        """What fails, the most frequent first."""
        return group_failures(self.outcomes)

    @property
    def passed(self) -> bool:
        """Whether no history fails."""
        return not self.groups

    @property
    def gone(self) -> int:
        """The number of histories that were deleted before they could be read."""
        return self.counts[Outcome.GONE]

    @property
    def head(self) -> str:
        """What was replayed."""
        return f"replayed {histories(len(self.outcomes) - self.gone)} against {self.spec}"

    @property
    def verdict(self) -> str:
        """How many replay."""
        good, bad = self.counts[Outcome.REPLAYS], sum(outcome.bad for outcome in self.outcomes)
        if not bad:
            return "it replays" if good == 1 else "all replay"
        return f"{good:,} {'replays' if good == 1 else 'replay'}, {bad:,} {'does' if bad == 1 else 'do'} not"

    @property
    def advice(self) -> str:
        """What to do about code that does not match its histories; empty if none fails in this way."""
        return ADVICE if any(group.example.outcome is Outcome.DIVERGES for group in self.groups) else ""

    @property
    def types(self) -> Sequence[TypeCount]:
        """The workflow types, those that fail most first."""
        found: dict[str, list[HistoryOutcome]] = {}
        for outcome in self.outcomes:
            if outcome.outcome is not Outcome.GONE:
                found.setdefault(outcome.candidate.workflow_type, []).append(outcome)
        counts = [
            TypeCount(
                name,
                sum(not outcome.bad for outcome in of_type),
                sum(outcome.bad for outcome in of_type),
                sum(outcome.events for outcome in of_type),
            )
            for name, of_type in found.items()
        ]
        return sorted(counts, key=lambda count: (-count.bad, -count.good, count.workflow_type))


def problem(group: FailureGroup) -> str:
    """What is wrong with the histories of a group, as the end of a sentence."""
    count = len(group.outcomes)
    outcome = group.example.outcome
    if outcome is Outcome.NO_CODE:
        return "without code"
    return f"{'does' if count == 1 else 'do'} not replay" if outcome is Outcome.DIVERGES else "cannot be replayed"


def reason(group: FailureGroup) -> str:
    """Why they fail; empty if that is unknown."""
    example = group.example
    if example.failure is None:
        return ""
    return example.failure.reason + (f" {NONDETERMINISTIC}" if example.outcome is Outcome.DIVERGES else "")


def histories(count: int) -> str:
    """A number of histories."""
    return f"{count:,} {'history' if count == 1 else 'histories'}"
