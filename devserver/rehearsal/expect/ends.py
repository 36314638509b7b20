"""Expectations of an end that is no success."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from temporalio.api.failure.v1 import Failure

from ..errors import ScenarioInvalid
from ..scenario.result import Judgement, RehearsalRun

STATUSES = ("completed", "failed", "canceled", "terminated", "timed out")
KINDS = {
    "activity_failure_info": "ActivityError",
    "child_workflow_execution_failure_info": "ChildWorkflowError",
    "timeout_failure_info": "TimeoutError",
    "canceled_failure_info": "CancelledError",
    "terminated_failure_info": "TerminatedError",
    "server_failure_info": "ServerError",
}


@dataclass(frozen=True)
class Ends:
    """It ends with that status."""

    status: str
    judges_end = True

    def judge(self, run: RehearsalRun) -> Judgement:
        """By its status."""
        why = f": {run.failure}" if run.failure and run.status != self.status else ""
        return Judgement(str(self), "pass" if run.status == self.status else "fail", f"it is {run.status}{why}")

    def __str__(self) -> str:
        return f"it ends {self.status}"


@dataclass(frozen=True)
class WorkflowFails:
    """It fails, and for that reason."""

    type: str | None
    message: str | None
    judges_end = True

    def judge(self, run: RehearsalRun) -> Judgement:
        """By its failure and the causes of it."""
        if run.status != "failed":
            return Judgement(str(self), "fail", f"it is {run.status}")
        chain = list(_chain(run))
        told = [f"{kind}: {text}" for kind, text in chain]
        if any(self.type in (None, kind) and (self.message or "") in text for kind, text in chain):
            return Judgement(str(self), "pass", told[0], told)
        return Judgement(str(self), "fail", f"it fails for another reason: {' <- '.join(told)}", told)

    def __str__(self) -> str:
        what = " ".join(filter(None, [self.type and f"with {self.type}", self.message and f"saying {self.message!r}"]))
        return f"it fails {what}".rstrip()


def _chain(run: RehearsalRun) -> Iterator[tuple[str, str]]:
    """A failed run's failure and its causes, each by type and message."""
    event = run.histories[-1].events[-1] if run.histories else None
    if event is None or not event.HasField("workflow_execution_failed_event_attributes"):
        yield "", run.failure or ""
        return
    failure: Failure | None = event.workflow_execution_failed_event_attributes.failure
    while failure is not None:
        kind = failure.WhichOneof("failure_info") or ""
        yield KINDS.get(kind) or failure.application_failure_info.type, failure.message
        failure = failure.cause if failure.HasField("cause") else None


def status(wanted: str) -> Ends:
    """The runbook ends with that status: completed, failed, canceled, terminated or timed out.

    Raises:
        ScenarioInvalid: There is no such status.
    """
    if wanted not in STATUSES:
        raise ScenarioInvalid(f"no workflow ends {wanted!r}", hint=f"it ends {', '.join(STATUSES)}")
    return Ends(wanted)


def fails(message: str | None = None, *, type: str | None = None) -> WorkflowFails:  # noqa: A002 - the SDK's name
    """The runbook fails; the failure or one of its causes has that text in its message, and is of that type.

    `type` is that of an ApplicationError (the exception's class, where it was no ApplicationError), or the SDK's class
    for others: ActivityError, TimeoutError, ChildWorkflowError, CancelledError.
    """
    return WorkflowFails(type, message)
