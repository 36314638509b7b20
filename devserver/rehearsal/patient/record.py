"""What happened to the patient of a run: its members, and each call of its workload."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .error_samples import ErrorSample


@dataclass(frozen=True)
class LoadCall:
    """A workflow or a schedule of the workload. Times are seconds since the run's start.

    Attributes:
        workflow_id: Its id.
        at: When the start was sent.
        acknowledged: When the start was acknowledged; None if it was not, in time or at all.
        error: Why it was not.
        signaled: Whether its signal was acknowledged.
        completed: When its activity ran; None if it did not. That of a schedule: of the workflow that it started.
        result: `complete`, `signal lost` (acknowledged, and not there), or why there is no result; None: not asked.
        updated: Whether its update was acknowledged as completed.
    """

    workflow_id: str
    at: float
    acknowledged: float | None = None
    error: str | None = None
    signaled: bool = False
    completed: float | None = None
    result: str | None = None
    updated: bool = False


@dataclass(frozen=True)
class PatientRecord:
    """The evidence of a patient.

    Attributes:
        cluster: What it is, in one line.
        began: When its workload began, in seconds since the run's start.
        ended: When its workload ended.
        calls: The starts of its workload, by time.
        problem: Why it is not healthy at the end; None if it is.
        starts: How often each member was started.
        schedules: The schedules of its workload, by time.
        logs: What each member has logged in this run, the last 20,000 lines.
        errors: The error counters of its processes every two seconds.
    """

    cluster: str
    began: float
    ended: float
    calls: Sequence[LoadCall]
    problem: str | None
    starts: dict[str, int]
    schedules: Sequence[LoadCall] = ()
    logs: Mapping[str, Sequence[str]] = field(default_factory=dict, repr=False)
    errors: Sequence[ErrorSample] = field(default=(), repr=False)

    @property
    def acknowledged(self) -> list[LoadCall]:
        """The calls that were acknowledged, by time."""
        return [call for call in self.calls if call.acknowledged is not None]

    def longest_gap(self, moments: Sequence[float]) -> tuple[float, float]:
        """The longest time without one of these moments while the workload ran: its length and its begin."""
        times = [self.began, *sorted(moment for moment in moments if self.began <= moment <= self.ended), self.ended]
        return max((later - earlier, earlier) for earlier, later in itertools.pairwise(times))
