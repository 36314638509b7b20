"""Expectations of how a runbook ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from ...client import chain, failure_type
from ..errors import ScenarioInvalid
from ..scenario.arguments import seconds
from ..scenario.result import Judgement, RehearsalRun


@dataclass(frozen=True)
class Completes:
    """The runbook completes in time."""

    within: float | None
    judges_end = True

    def judge(self, run: RehearsalRun) -> Judgement:
        """Judge by the status and the duration."""
        if run.seen_until is not None:
            return Judgement(str(self), "fail", f"it has been running for {run.seen_until - run.started:.1f} s")
        if run.status != "completed":
            return Judgement(str(self), "fail", f"it is {run.status}: {run.failure}", run.stuck)
        took = run.seconds or 0.0
        late = self.within is not None and took > self.within
        return Judgement(str(self), "fail" if late else "pass", f"it completed after {took:.2f} s")

    def is_final(self, run: RehearsalRun) -> bool:
        """Whether the judgement is final before the run has ended: it runs for too long."""
        return self.within is not None and (run.seen_until or 0.0) - run.started > self.within

    def __str__(self) -> str:
        return "completes" if self.within is None else f"completes within {self.within:g} s"


@dataclass(frozen=True)
class SameResult:
    """The result is that of the run without faults."""

    needs_baseline = True
    judges_end = True

    def judge(self, run: RehearsalRun) -> Judgement:
        """Judge by comparison with the run without faults."""
        plain = run.baseline
        if plain is None or plain.status != "completed":
            return Judgement(str(self), "unknown", "the run without faults did not complete")
        if run.status == "completed" and run.output == plain.output:
            return Judgement(str(self), "pass", f"both are {run.output!r}")
        found = repr(run.output) if run.status == "completed" else f"{run.status}: {run.failure}"
        return Judgement(str(self), "fail", f"without faults {plain.output!r}, with faults {found}")

    def __str__(self) -> str:
        return "the same result as without faults"


def completes(within: float | timedelta | None = None) -> Completes:
    """The runbook completes, within this time of the wall clock if one is given."""
    return Completes(None if within is None else seconds(within, "completes(within=...)"))


def same_result() -> SameResult:
    """The result is that of the same runbook without faults, which runs first."""
    return SameResult()


STATUSES = ("completed", "failed", "canceled", "terminated", "timed out")


@dataclass(frozen=True)
class EndsWithStatus:
    """The runbook ends with this status."""

    status: str
    judges_end = True

    def judge(self, run: RehearsalRun) -> Judgement:
        """Judge by the status."""
        why = f": {run.failure}" if run.failure and run.status != self.status else ""
        return Judgement(str(self), "pass" if run.status == self.status else "fail", f"it is {run.status}{why}")

    def __str__(self) -> str:
        return f"it ends {self.status}"


@dataclass(frozen=True)
class WorkflowFails:
    """The runbook fails for this reason."""

    type: str | None
    message: str | None
    judges_end = True

    def judge(self, run: RehearsalRun) -> Judgement:
        """Judge by the failure and its causes."""
        if run.status != "failed":
            return Judgement(str(self), "fail", f"it is {run.status}")
        chain = list(_chain(run))
        messages = [f"{kind}: {text}" for kind, text in chain]
        if any(self.type in (None, kind) and (self.message or "") in text for kind, text in chain):
            return Judgement(str(self), "pass", messages[0], messages)
        return Judgement(str(self), "fail", f"it fails for another reason: {' <- '.join(messages)}", messages)

    def __str__(self) -> str:
        what = " ".join(filter(None, [self.type and f"with {self.type}", self.message and f"saying {self.message!r}"]))
        return f"it fails {what}".rstrip()


def _chain(run: RehearsalRun) -> Iterator[tuple[str, str]]:
    """The failure of a run and its causes, as pairs of type and message."""
    event = run.histories[-1].events[-1] if run.histories else None
    if event is None or not event.HasField("workflow_execution_failed_event_attributes"):
        yield "", run.failure or ""
        return
    for failure in chain(event.workflow_execution_failed_event_attributes.failure):
        yield failure_type(failure), failure.message


def status(wanted: str) -> EndsWithStatus:
    """The runbook ends with this status: completed, failed, canceled, terminated or timed out.

    Raises:
        ScenarioInvalid: Unknown status.
    """
    if wanted not in STATUSES:
        raise ScenarioInvalid(f"unknown status {wanted!r}", hint=f"statuses: {', '.join(STATUSES)}")
    return EndsWithStatus(wanted)


def fails(message: str | None = None, *, type: str | None = None) -> WorkflowFails:  # noqa: A002 - the SDK's name
    """The runbook fails; the failure or one of its causes contains this message and is of this type.

    `type` is the type of an ApplicationError (or the exception's class), or the SDK's class for other failures:
    ActivityError, TimeoutError, ChildWorkflowError, CancelledError.
    """
    return WorkflowFails(type, message)
