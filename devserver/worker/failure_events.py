"""Reports failures of a worker as they happen: failing workflow tasks, failed workflows, failed activity attempts."""

from __future__ import annotations

import re
import traceback
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from temporalio import activity
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

from ..client.failures import root_cause, summary
from ..system.channel import ParentChannel

MAX_RUNS = 1000  # workflow runs to remember; the oldest are forgotten
FRAME = re.compile(r'File "([^"]+)", line (\d+)')
NONDETERMINISM = "Nondeterminism"
REFUSED = "the server rejects its commands"
# The core prints all fields of a failure; this is the message.
MESSAGE = re.compile(r'\bmessage: "((?:[^"\\]|\\.)+)"')


class FailureReporter:
    """Reports each failure of a workflow run once, although its task is retried forever, and every failed attempt.

    `running_activities` counts the activities that run now. Any thread may call its methods.
    """

    def __init__(self, channel: ParentChannel, project: Path) -> None:
        self.running_activities = 0
        self._channel = channel
        self._project = project
        self._runs: OrderedDict[str, tuple[str, str]] = OrderedDict()
        self._reported: OrderedDict[str, str] = OrderedDict()
        self._refused: OrderedDict[str, int] = OrderedDict()

    def add_run(self, details: WorkflowInstanceDetails) -> None:
        """Remember a workflow run of this process."""
        info = details.info
        _keep(self._runs, info.run_id, (info.workflow_id, info.workflow_type))

    def completed(self, act: WorkflowActivation, completion: WorkflowActivationCompletion) -> None:
        """Report the failures in what the workflow code returned for a workflow task."""
        if completion.HasField("failed"):
            failure = completion.failed.failure
            message = summary(root_cause(failure))
            kind = "nondeterminism" if NONDETERMINISM in message else "workflow_task_failed"
            self.run_failed(kind, act.run_id, message, self._place(failure.stack_trace))
            return
        for command in completion.successful.commands if not act.is_replaying else ():
            if command.HasField("fail_workflow_execution"):
                failure = command.fail_workflow_execution.failure
                message = summary(root_cause(failure))
                self.run_failed("workflow_failed", act.run_id, message, self._place(failure.stack_trace))

    def evicted(self, run_id: str, removal: RemoveFromCache) -> None:
        """Report why the SDK removed a run from its cache: nondeterminism, or commands that the server rejects."""
        if removal.reason == RemoveFromCache.FATAL:
            _keep(self._refused, run_id, self._refused.get(run_id, 0) + 1)
            if self._refused[run_id] > 1:  # the first may be due to a server that has just ended
                self.run_failed("workflow_task_failed", run_id, REFUSED)
        if removal.reason == RemoveFromCache.NONDETERMINISM:
            inner = MESSAGE.search(removal.message)
            self.run_failed("nondeterminism", run_id, inner[1].replace('\\"', '"') if inner else removal.message)

    def run_failed(self, kind: str, run_id: str, message: str, place: str = "") -> None:
        """Report a failure of a run."""
        if self._reported.get(run_id) == message:
            return
        _keep(self._reported, run_id, message)
        workflow_id, workflow_type = self._runs.get(run_id, ("", ""))
        facts = {"workflow_id": workflow_id, "workflow_type": workflow_type, "run_id": run_id}
        self._channel.send(kind, **facts, message=message, place=place)

    def sdk_error(self, message: str) -> None:
        """Report an error that the core of the SDK has logged."""
        if message not in self._reported:
            _keep(self._reported, message, "")
            self._channel.send("sdk_error", message=message)

    def activity_failed(self, error: Exception) -> None:
        """Report a failed attempt of the current activity."""
        info = activity.info()
        said = f"{type(error).__name__}: {error}"
        if isinstance(error, ApplicationError):
            if error.category == ApplicationErrorCategory.BENIGN:
                return
            said = f"{error.type or type(error).__name__}: {error.message}"
        self._channel.send(
            "activity_failed",
            activity=info.activity_type,
            attempt=info.attempt,
            workflow_id=info.workflow_id or "",
            workflow_type=info.workflow_type or "",
            message=said,
            place=self._place("".join(traceback.format_tb(error.__traceback__))),
        )

    def _place(self, trace: str) -> str:
        """The last line of the user's code in a traceback, as `file:line`; empty if there is none."""
        for file, line in reversed(FRAME.findall(trace)):
            path = Path(file)
            if path.is_relative_to(self._project) and "site-packages" not in path.parts:
                return f"{path.relative_to(self._project)}:{line}"
        return ""


@dataclass(frozen=True)
class ReportingSandboxRunner(SandboxedWorkflowRunner):
    """The sandbox of the SDK, with reports."""

    reporter: FailureReporter = field(kw_only=True)

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """A workflow instance that reports its failures."""
        self.reporter.add_run(det)
        return _with_reports(self.reporter, super().create_instance(det))


class ReportingUnsandboxedRunner(UnsandboxedWorkflowRunner):
    """Without a sandbox, for workflows that opt out of it, with reports."""

    def __init__(self, reporter: FailureReporter) -> None:
        super().__init__()
        self._reporter = reporter

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """A workflow instance that reports its failures."""
        self._reporter.add_run(det)
        return _with_reports(self._reporter, super().create_instance(det))


def runners(reporter: FailureReporter) -> dict[str, WorkflowRunner]:
    """The keywords of a worker.

    Modules of the user may import `devserver`, which passes through the sandbox.
    """
    restrictions = SandboxRestrictions.default.with_passthrough_modules("devserver")
    return {
        "workflow_runner": ReportingSandboxRunner(restrictions, reporter=reporter),
        "unsandboxed_workflow_runner": ReportingUnsandboxedRunner(reporter),
    }


def _with_reports(reporter: FailureReporter, instance: WorkflowInstance) -> WorkflowInstance:
    activate = instance.activate

    def activate_and_report(act: WorkflowActivation) -> WorkflowActivationCompletion:
        completion = activate(act)
        reporter.completed(act, completion)
        for job in act.jobs:
            if job.HasField("remove_from_cache"):
                reporter.evicted(act.run_id, job.remove_from_cache)
        return completion

    instance.activate = activate_and_report  # type: ignore[method-assign]
    return instance


class ActivityReporter(Interceptor):
    """Counts running activities, and reports failed attempts."""

    def __init__(self, reporter: FailureReporter) -> None:
        self._reporter = reporter

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        """Wrap the interceptors that follow."""
        return _ActivityReports(next, self._reporter)


class _ActivityReports(ActivityInboundInterceptor):
    def __init__(self, following: ActivityInboundInterceptor, reporter: FailureReporter) -> None:
        super().__init__(following)
        self._reporter = reporter

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002
        self._reporter.running_activities += 1
        try:
            return await super().execute_activity(input)
        except activity._CompleteAsyncError:
            raise
        except Exception as error:
            self._reporter.activity_failed(error)
            raise
        finally:
            self._reporter.running_activities -= 1


def _keep(known: OrderedDict[str, Any], key: str, value: Any) -> None:
    known[key] = value
    known.move_to_end(key)
    while len(known) > MAX_RUNS:
        known.popitem(last=False)
