"""Checks of drills before a rehearsal starts: the runbook's handlers, the arguments, the rest of the plan."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Sequence
from typing import Any

from temporalio.converter import DataConverter

from ...introspection.module_scan import WORKFLOW
from ..errors import ScenarioInvalid
from ..scenario.plan import Action
from ..scenario.runbook import Runbook
from ..scenario.scenario import Scenario

KINDS = {"signal": "signals", "update": "updates", "query": "queries"}


def planned(scenario: Scenario, action: Action, after: type, hint: str) -> None:
    """Check that the plan also has an action of this type.

    Raises:
        ScenarioInvalid: It has none.
    """
    if not any(isinstance(action, after) for step in scenario.plan for action in step.actions):
        raise ScenarioInvalid(f"the plan of {scenario.name!r} has no step before: {action}", hint=hint)


def handles(scenario: Scenario, kind: str, name: str) -> None:
    """Check that the runbook has a handler for the signal, update or query, if that can be known.

    Raises:
        ScenarioInvalid: It has none, and does not set one while it runs.
    """
    workflow = Runbook.load(scenario.module).workflow(scenario.workflow)
    known = getattr(getattr(workflow, WORKFLOW), KINDS[kind])
    if name in known or None in known or name.startswith("__") or _makes_its_own(workflow, kind):
        return
    names = ", ".join(sorted(known)) or "none"
    raise ScenarioInvalid(f"unknown {kind} {name!r} of the runbook's workflow", hint=f"handlers: {names}")


def sendable(what: str, args: Sequence[Any], converter: DataConverter) -> None:
    """Check that the arguments can be encoded.

    Raises:
        ScenarioInvalid: They cannot.
    """
    try:
        converter.payload_converter.to_payloads(args)
    except Exception as error:
        raise ScenarioInvalid(f"cannot encode the arguments of {what}: {error}") from error


def _makes_its_own(workflow: type, kind: str) -> bool:
    """Whether the workflow sets handlers while it runs, so that they are not known before."""
    try:
        source = inspect.getsource(sys.modules[workflow.__module__])
    except (OSError, KeyError, TypeError):
        return True
    return f"set_{kind}_handler" in source or f"set_dynamic_{kind}_handler" in source
