"""What a drill can tell of a scenario before it is held: the runbook's handlers, and what else is planned."""

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
    """See that the plan has an action of that type, too.

    Raises:
        ScenarioInvalid: It has none.
    """
    if not any(isinstance(each, after) for step in scenario.plan for each in step.actions):
        raise ScenarioInvalid(f"{scenario.name!r} plans that {action}, and never what comes before it", hint=hint)


def handles(scenario: Scenario, kind: str, name: str) -> None:
    """See that the runbook has a handler for the signal, update or query, where that can be known.

    Raises:
        ScenarioInvalid: It has none, and makes none while it runs.
    """
    workflow = Runbook.load(scenario.module).workflow(scenario.workflow)
    known = getattr(getattr(workflow, WORKFLOW), KINDS[kind])
    if name in known or None in known or name.startswith("__") or _makes_its_own(workflow, kind):
        return
    names = ", ".join(sorted(known)) or "none"
    raise ScenarioInvalid(f"the runbook's workflow has no {kind} {name!r}", hint=f"it has: {names}")


def sendable(what: str, args: Sequence[Any], converter: DataConverter) -> None:
    """See that the arguments can be sent.

    Raises:
        ScenarioInvalid: They cannot.
    """
    try:
        converter.payload_converter.to_payloads(args)
    except Exception as error:
        raise ScenarioInvalid(f"the arguments of {what} cannot be sent: {error}") from error


def _makes_its_own(workflow: type, kind: str) -> bool:
    """Whether handlers are set while it runs, so that nobody can know them before."""
    try:
        source = inspect.getsource(sys.modules[workflow.__module__])
    except (OSError, KeyError, TypeError):
        return True
    return f"set_{kind}_handler" in source or f"set_dynamic_{kind}_handler" in source
