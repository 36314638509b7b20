"""Finds the workflow or handler that `MODULE:WORKFLOW` or `MODULE:WORKFLOW.HANDLER` names, with its parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from .cli_inputs import InputOptions
from .discovery import find
from .errors import NotInModule
from .hints import MISSING
from .module import Module, Workflow, nearest
from .signature import Signature, of_handler, of_workflow

Kind = Literal["signal", "query", "update"]
KINDS: Mapping[Kind, str] = {"signal": "signals", "query": "queries", "update": "updates"}


@dataclass(frozen=True)
class CallTarget:
    """A workflow and its type (None: any type of a dynamic workflow); for a signal, query or update its name too.

    Of a `bare` target the code is not at hand: it takes any arguments.
    """

    module: Module
    workflow: Workflow | None
    type: str | None
    signature: Signature
    name: str | None = None
    validated: bool = False

    @property
    def bare(self) -> bool:
        """Whether it is a name only."""
        return self.workflow is None

    @cached_property
    def inputs(self) -> InputOptions:
        """The command-line options of its parameters."""
        return InputOptions(self.signature)

    def worker_on(self, queue: str) -> list[str]:
        """The command that runs a worker for the module on a task queue."""
        words = ["devserver", "run", self.module.spec.partition(":")[0] or "MODULE"]
        return words if queue == self.module.task_queue else [*words, "--task-queue", queue]


def find_workflow(spec: str) -> CallTarget:
    """The workflow that `MODULE[:WORKFLOW]` names; without a name the only one of the module.

    Raises:
        NotInModule: The module has none, or several and none is named.
        IntrospectionError: The module cannot be used.
    """
    where, _, name = spec.partition(":")
    module = find(where, make=False)
    if name:
        workflow = module.workflow(name)
    else:
        labels = [item.label for item in module.workflows]
        if len(labels) != 1:
            content = f"several workflows: {', '.join(labels)}" if labels else "no workflow"
            raise NotInModule(f"{where} has {content}", hint=f"name one: {where}:{(labels or ['WORKFLOW'])[0]}")
        workflow = module.workflows[0]
    return CallTarget(module, workflow, workflow.name or name or None, of_workflow(workflow))


def find_handler(spec: str, kind: Kind) -> CallTarget:
    """The signal, query or update that `MODULE:[WORKFLOW.]HANDLER` names.

    The workflow can be left out if only one has a handler of that name.

    Raises:
        NotInModule: No workflow has it, or several do.
        IntrospectionError: The module cannot be used.
    """
    where, _, name = spec.partition(":")
    module = find(where, make=False)
    found = list(_matching(module, name, kind))
    if len(found) == 1:
        return found[0]
    if found:
        labels = [(target.workflow.label, target.name) for target in found if target.workflow is not None]
        raise NotInModule(
            f"several workflows of {where} have a {kind} {name}",
            hint=f"name one: {' or '.join(f'{where}:{label}.{handler}' for label, handler in labels)}",
        )
    known = [
        f"{workflow.label}.{handler.name}"
        for workflow in module.workflows
        for handler in _handlers(workflow, kind)
        if handler.name
    ]
    message = f"{where} has no {kind} {name}" if name else f"{spec} names no {kind}"
    raise NotInModule(message, hint=nearest(name, known))


def bare_workflow(name: str) -> CallTarget:
    """A workflow type whose code is not at hand."""
    return CallTarget(_NOWHERE, None, name, ANY_ARGUMENTS)


def bare_handler(name: str) -> CallTarget:
    """A signal, query or update of a workflow whose code is not at hand."""
    return CallTarget(_NOWHERE, None, None, ANY_ARGUMENTS, name)


_NOWHERE = Module(spec="", name="", file=None, project=Path(), task_queue="")
ANY_ARGUMENTS = Signature((), MISSING, raw=True)


def _matching(module: Module, name: str, kind: Kind) -> Iterator[CallTarget]:
    """The handlers of that name; if there are none, the dynamic ones."""
    for dynamic in (False, True):
        found = [
            called
            for workflow, rest in _of_workflows(module, name)
            for definition in _handlers(workflow, kind)
            if (called := _called(module, workflow, definition, rest, dynamic)) is not None
        ]
        if found:
            yield from found
            return


def _of_workflows(module: Module, name: str) -> Iterator[tuple[Workflow, str]]:
    """Each workflow with the handler's name in `name`: workflow types and handlers may contain dots."""
    for workflow in module.workflows:
        for label in dict.fromkeys((workflow.name, workflow.cls.__name__)):
            if label and name.startswith(f"{label}."):
                yield workflow, name[len(label) + 1 :]
                break
        else:
            yield workflow, name


def _called(module: Module, workflow: Workflow, definition: Any, name: str, dynamic: bool) -> CallTarget | None:
    if dynamic and (definition.name is not None or not name):
        return None
    if not dynamic and (definition.name is None or name not in (definition.name, definition.fn.__name__)):
        return None
    return CallTarget(
        module,
        workflow,
        workflow.name,
        of_handler(definition),
        definition.name or name,
        getattr(definition, "validator", None) is not None,
    )


def _handlers(workflow: Workflow, kind: Kind) -> list[Any]:
    return list(getattr(workflow.definition, KINDS[kind]).values())
