"""Watches the workflows and activities of a worker, for the reports of their failures."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from temporalio import activity
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.worker import (
    ActivityInboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
    UnsandboxedWorkflowRunner,
    WorkflowInstance,
    WorkflowInstanceDetails,
    WorkflowRunner,
)
from temporalio.worker.workflow_sandbox import SandboxRestrictions

from ..replay import WorkflowSandbox
from .failure_reporter import FailureReporter


@dataclass(frozen=True)
class ReportingSandboxRunner(WorkflowSandbox):
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
        self._reporter.activity_started()
        try:
            return await super().execute_activity(input)
        except activity._CompleteAsyncError:
            raise
        except Exception as error:
            self._reporter.activity_failed(error)
            raise
        finally:
            self._reporter.running_activities -= 1
