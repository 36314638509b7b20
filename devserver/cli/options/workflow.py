"""Options that workflow commands share: which workflow, and which of its runs."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

from .types import RunId, WorkflowId

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def workflow_id_parameters(*, required: bool = True, closed: bool = False, metavar: str = "[WORKFLOW_ID]") -> Decorator:
    """Take the workflow id as an argument, or with -w as the Temporal CLI does; the command gets `workflow_id`.

    Args:
        required: Whether a command without a workflow id is wrong usage; else `workflow_id` is None.
        closed: Whether a shell offers closed workflows too.
        metavar: Of the argument where it is not required.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def with_id(*args: Any, workflow_id: str | None, named_id: str | None, **values: Any) -> Any:
            if None not in (workflow_id, named_id) and workflow_id != named_id:
                raise click.UsageError(f"two workflow ids: {workflow_id} and --workflow-id {named_id}", _context())
            found = workflow_id if named_id is None else named_id
            if required and found is None:
                raise click.UsageError("Missing argument 'WORKFLOW_ID' (or --workflow-id).", _context())
            return function(*args, workflow_id=found, **values)

        kind = WorkflowId(closed=closed)
        option = click.option(
            "-w", "--workflow-id", "named_id", metavar="ID", type=kind, help="Workflow id; same as WORKFLOW_ID."
        )
        argument = click.argument("workflow_id", required=False, metavar="WORKFLOW_ID", type=kind)
        if not required:
            argument = click.argument("workflow_id", required=False, metavar=metavar, type=kind)
        return argument(option(with_id))

    return decorate


def _context() -> click.Context | None:
    return click.get_current_context(silent=True)


def run_id_option(default: str) -> Decorator:
    """`--run-id`, empty where it is not given. `default`: which run that means, for the help."""
    return click.option(
        "-r", "--run-id", default="", metavar="ID", type=RunId(), show_default=default, help="Run of the workflow."
    )
