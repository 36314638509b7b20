"""Hears what goes wrong in a worker, where it happens: failing workflow tasks, failed workflows, failed activities."""

from __future__ import annotations

import re
import traceback
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from temporalio import activity
from temporalio.api.failure.v1 import Failure
from temporalio.bridge.proto.workflow_activation import RemoveFromCache, WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory
from temporalio.worker import (
    ActivityInboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
    UnsandboxedWorkflowRunner,
    WorkflowInstance,
    WorkflowInstanceDetails,
    WorkflowRunner,
)
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from .channel import Channel

REMEMBERED = 1000  # workflow runs; the oldest are forgotten
FRAME = re.compile(r'File "([^"]+)", line (\d+)')
NO_MATCH = "Nondeterminism"
REFUSED = "the server refuses what it asks for"
# What the core says of a failure is all of its fields; this one is for people.
MESSAGE = re.compile(r'\bmessage: "((?:[^"\\]|\\.)+)"')


class FailureReporter:
    """Tells each trouble of a workflow run once, though its task is tried again for ever; and of every failed attempt.

    `running` is how many activities run now. Its methods may be called from any thread.
    """

    def __init__(self, channel: Channel, project: Path) -> None:
        self.running = 0
        self._channel = channel
        self._project = project
        self._runs: OrderedDict[str, tuple[str, str]] = OrderedDict()
        self._told: OrderedDict[str, str] = OrderedDict()
        self._refused: OrderedDict[str, int] = OrderedDict()

    def met(self, details: WorkflowInstanceDetails) -> None:
        """A run of a workflow is in this process."""
        info = details.info
        _keep(self._runs, info.run_id, (info.workflow_id, info.workflow_type))

    def completed(self, act: WorkflowActivation, completion: WorkflowActivationCompletion) -> None:
        """The workflow's code has answered."""
        if completion.HasField("failed"):
            failure = completion.failed.failure
            said = what(failure)
            kind = "nondeterminism" if NO_MATCH in said else "workflow_task_failed"
            self.trouble(kind, act.run_id, said, self._place(failure.stack_trace))
            return
        for command in completion.successful.commands if not act.is_replaying else ():
            if command.HasField("fail_workflow_execution"):
                failure = command.fail_workflow_execution.failure
                self.trouble("workflow_failed", act.run_id, what(_root(failure)), self._place(failure.stack_trace))

    def evicted(self, run_id: str, why: RemoveFromCache) -> None:
        """The SDK has put a run out: so one gets to know of code that does not fit, and of answers that are refused."""
        if why.reason == RemoveFromCache.FATAL:
            _keep(self._refused, run_id, self._refused.get(run_id, 0) + 1)
            if self._refused[run_id] > 1:  # the first may be a server that has just gone
                self.trouble("workflow_task_failed", run_id, REFUSED)
        if why.reason == RemoveFromCache.NONDETERMINISM:
            inner = MESSAGE.search(why.message)
            self.trouble("nondeterminism", run_id, inner[1].replace('\\"', '"') if inner else why.message)

    def trouble(self, kind: str, run_id: str, message: str, place: str = "") -> None:
        """Something is wrong with a run."""
        if self._told.get(run_id) == message:
            return
        _keep(self._told, run_id, message)
        workflow_id, workflow_type = self._runs.get(run_id, ("", ""))
        facts = {"workflow_id": workflow_id, "workflow_type": workflow_type, "run_id": run_id}
        self._channel.tell(kind, **facts, message=message, place=place)

    def sdk_error(self, message: str) -> None:
        """The SDK's core has logged an error."""
        if message not in self._told:
            _keep(self._told, message, "")
            self._channel.tell("sdk_error", message=message)

    def activity_failed(self, error: Exception) -> None:
        """An attempt of the current activity has failed."""
        info = activity.info()
        said = f"{type(error).__name__}: {error}"
        if isinstance(error, ApplicationError):
            if error.category == ApplicationErrorCategory.BENIGN:
                return
            said = f"{error.type or type(error).__name__}: {error.message}"
        self._channel.tell(
            "activity_failed",
            activity=info.activity_type,
            attempt=info.attempt,
            workflow_id=info.workflow_id or "",
            workflow_type=info.workflow_type or "",
            message=said,
            place=self._place("".join(traceback.format_tb(error.__traceback__))),
        )

    def _place(self, trace: str) -> str:
        """The last line of a traceback that is the user's, as `file:line`."""
        for file, line in reversed(FRAME.findall(trace)):
            path = Path(file)
            if path.is_relative_to(self._project) and "site-packages" not in path.parts:
                return f"{path.relative_to(self._project)}:{line}"
        return ""


@dataclass(frozen=True)
class ReportingSandboxRunner(SandboxedWorkflowRunner):
    """The SDK's sandbox; a module may import us, so we are taken as we are."""

    teller: FailureReporter = field(kw_only=True)

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """As the SDK does, and listened to."""
        self.teller.met(det)
        return _listened(self.teller, super().create_instance(det))


class ReportingUnsandboxedRunner(UnsandboxedWorkflowRunner):
    """For workflows that have opted out of the sandbox."""

    def __init__(self, teller: FailureReporter) -> None:
        super().__init__()
        self._teller = teller

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """As the SDK does, and listened to."""
        self._teller.met(det)
        return _listened(self._teller, super().create_instance(det))


def runners(teller: FailureReporter) -> dict[str, WorkflowRunner]:
    """As a worker takes them."""
    restrictions = SandboxRestrictions.default.with_passthrough_modules("devserver")
    return {
        "workflow_runner": ReportingSandboxRunner(restrictions, teller=teller),
        "unsandboxed_workflow_runner": ReportingUnsandboxedRunner(teller),
    }


def _listened(teller: FailureReporter, instance: WorkflowInstance) -> WorkflowInstance:
    activate = instance.activate

    def listened(act: WorkflowActivation) -> WorkflowActivationCompletion:
        completion = activate(act)
        teller.completed(act, completion)
        for job in act.jobs:
            if job.HasField("remove_from_cache"):
                teller.evicted(act.run_id, job.remove_from_cache)
        return completion

    instance.activate = listened  # type: ignore[method-assign]
    return instance


class ActivityReporter(Interceptor):
    """Counts activities, and hears of those that fail."""

    def __init__(self, teller: FailureReporter) -> None:
        self._teller = teller

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        """As the SDK wants it."""
        return _Attempt(next, self._teller)


class _Attempt(ActivityInboundInterceptor):
    def __init__(self, following: ActivityInboundInterceptor, teller: FailureReporter) -> None:
        super().__init__(following)
        self._teller = teller

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002
        self._teller.running += 1
        try:
            return await super().execute_activity(input)
        except activity._CompleteAsyncError:
            raise
        except Exception as error:
            self._teller.activity_failed(error)
            raise
        finally:
            self._teller.running -= 1


def what(failure: Failure) -> str:
    """A failure in one line: `KeyError: 'x'`."""
    kind = failure.application_failure_info.type
    return f"{kind}: {failure.message}" if kind else failure.message


def _root(failure: Failure) -> Failure:
    while failure.HasField("cause"):
        failure = failure.cause
    return failure


def _keep(known: OrderedDict[str, Any], key: str, value: Any) -> None:
    known[key] = value
    known.move_to_end(key)
    while len(known) > REMEMBERED:
        known.popitem(last=False)
