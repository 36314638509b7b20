"""A runbook: the workflows and activities of a module."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from temporalio.worker.workflow_sandbox import SandboxRestrictions

from ...introspection.module import DYNAMIC
from ...introspection.module_scan import WORKFLOW, Definitions
from ...replay import WorkflowSandbox
from ..errors import ScenarioInvalid

THREADS = 32
SEARCH_PATH = "modules are searched in the folder of the scenario's file, in Python's path, and in the current folder"


@dataclass(frozen=True)
class Runbook:
    """The workflows and activities of a module, defined or imported there.

    Activities are by name; methods count if the module has an instance of their class.
    """

    module: str
    workflows: Sequence[type]
    activities: Mapping[str, Callable[..., Any]]

    @classmethod
    def load(cls, module: str) -> Runbook:
        """Import a module and collect its workflows and activities.

        Raises:
            ScenarioInvalid: It cannot be imported, or has no workflow.
        """
        try:
            loaded = importlib.import_module(module)
        except (Exception, SystemExit) as error:
            raise ScenarioInvalid(
                f"cannot import the runbook {module!r}: {type(error).__name__}: {error}",
                hint=SEARCH_PATH,
            ) from error
        found = Definitions()
        for var in list(vars(loaded).values()):
            found.add(var)
        if not found.workflows:
            raise ScenarioInvalid(f"the runbook {module!r} has no workflow (a class with @workflow.defn)")
        activities = {activity.label: activity.function for activity in found.activities}
        return cls(module, tuple(workflow.cls for workflow in found.workflows), activities)

    def workflow(self, wanted: str | type) -> type:
        """The workflow with this name or class.

        Raises:
            ScenarioInvalid: There is none.
        """
        name = wanted if isinstance(wanted, str) else wanted.__name__
        for item in self.workflows:
            if name in (item.__name__, workflow_type(item)):
                return item
        known = ", ".join(workflow_type(workflow) for workflow in self.workflows)
        raise ScenarioInvalid(f"unknown workflow {wanted!r} in the runbook {self.module!r}", hint=f"workflows: {known}")

    def executor(self) -> ThreadPoolExecutor | None:
        """Threads for activities that are not async; None if all are."""
        if all(inspect.iscoroutinefunction(activity) for activity in self.activities.values()):
            return None
        return ThreadPoolExecutor(THREADS, thread_name_prefix="activity")

    def worker_options(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The worker's options, from their form in JSON."""
        return {
            "sticky_queue_schedule_to_start_timeout": timedelta(seconds=given["sticky_seconds"]),
            "build_id": given["build_id"],
        }


def workflow_type(kind: type) -> str:
    """A workflow's type name on the server."""
    return getattr(kind, WORKFLOW).name or DYNAMIC


def runner() -> WorkflowSandbox:
    """The SDK's sandbox, with `devserver` passed through: runbooks import its ledger."""
    return WorkflowSandbox(restrictions=SandboxRestrictions.default.with_passthrough_modules("devserver"))
