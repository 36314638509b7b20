"""The module of a runbook: which workflows and activities are in it."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from ...introspection.module import DYNAMIC
from ...introspection.module_scan import WORKFLOW, Definitions
from ..errors import ScenarioInvalid

THREADS = 32
LOOKED_FOR = "modules are looked for beside the scenario's file, where Python looks, and in the current folder"


@dataclass(frozen=True)
class Runbook:
    """The workflows and activities that a module has, its own and those it has imported.

    Activities are by their names; methods are those of instances that the module has.
    """

    module: str
    workflows: Sequence[type]
    activities: Mapping[str, Callable[..., Any]]

    @classmethod
    def load(cls, module: str) -> Runbook:
        """Import a module and look what is in it.

        Raises:
            ScenarioInvalid: It cannot be imported, or has no workflow.
        """
        try:
            loaded = importlib.import_module(module)
        except (Exception, SystemExit) as error:
            raise ScenarioInvalid(
                f"the runbook's module {module!r} does not import: {type(error).__name__}: {error}",
                hint=LOOKED_FOR,
            ) from error
        found = Definitions()
        for each in list(vars(loaded).values()):
            found.add(each)
        if not found.workflows:
            raise ScenarioInvalid(f"the runbook's module {module!r} has no workflow (a class with @workflow.defn)")
        activities = {each.label: each.function for each in found.activities}
        return cls(module, tuple(each.cls for each in found.workflows), activities)

    def workflow(self, wanted: str | type) -> type:
        """The workflow of that type, by its name or class.

        Raises:
            ScenarioInvalid: There is none.
        """
        name = wanted if isinstance(wanted, str) else wanted.__name__
        for each in self.workflows:
            if name in (each.__name__, workflow_type(each)):
                return each
        known = ", ".join(workflow_type(each) for each in self.workflows)
        raise ScenarioInvalid(f"the runbook {self.module!r} has no workflow {wanted!r}", hint=f"it has: {known}")

    def executor(self) -> ThreadPoolExecutor | None:
        """Threads for activities that are not async, if there are any."""
        if all(inspect.iscoroutinefunction(each) for each in self.activities.values()):
            return None
        return ThreadPoolExecutor(THREADS, thread_name_prefix="activity")

    def worker_options(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The worker's options, from what JSON can hold of them."""
        return {
            "sticky_queue_schedule_to_start_timeout": timedelta(seconds=given["sticky_seconds"]),
            **({"build_id": given["build_id"]} if given.get("build_id") else {}),
        }


def workflow_type(kind: type) -> str:
    """A workflow's name on the server."""
    return getattr(kind, WORKFLOW).name or DYNAMIC


def runner() -> SandboxedWorkflowRunner:
    """The SDK's sandbox, which takes us as we are: a runbook imports our ledger."""
    return SandboxedWorkflowRunner(restrictions=SandboxRestrictions.default.with_passthrough_modules("devserver"))
