"""Checks a scenario against its runbook before anything is started."""

from __future__ import annotations

import inspect

from ...introspection.module_scan import WORKFLOW
from ..drills.validation import sendable
from ..environment.converters import converter
from ..environment.module_paths import go_home
from ..errors import ScenarioInvalid
from .moments import ActivityMoment
from .plan import Moment
from .runbook import Runbook
from .scenario import Scenario


def check(scenario: Scenario) -> Runbook:
    """Check that the runbook has everything that the scenario names; returns the runbook.

    Raises:
        ScenarioInvalid: Something is missing, or an argument cannot be sent.
    """
    if scenario.file is not None:
        go_home(scenario.file.parent)
    runbook = Runbook.load(scenario.module)
    _arguments(scenario, runbook.workflow(scenario.workflow))
    for step in scenario.plan:
        _activity(step.moment, scenario, runbook)
        for action in (step.moment, *step.actions):
            if hasattr(action, "check"):
                action.check(scenario)
    for wanted in scenario.expect:
        if hasattr(wanted, "check"):
            wanted.check(scenario)
    return runbook


def _arguments(scenario: Scenario, workflow: type) -> None:
    run = inspect.signature(getattr(workflow, WORKFLOW).run_fn)
    try:
        run.bind(None, *scenario.arguments)  # the server silently drops excess arguments
    except TypeError as error:
        raise ScenarioInvalid(
            f"the arguments of {scenario.name!r} do not match its workflow: {error}",
            hint=f"{workflow.__name__} takes {run}; use input=... for one argument, args=[...] for several",
        ) from None
    if any(argument is ... for argument in scenario.arguments):
        raise ScenarioInvalid(
            f"{scenario.name!r} has a placeholder among the arguments of its workflow: ...",
            hint=f"replace it in {scenario.file}",
        )
    sendable(f"{scenario.name!r}", scenario.arguments, converter(scenario.data_converter))


def _activity(moment: Moment, scenario: Scenario, runbook: Runbook) -> None:
    if isinstance(moment, ActivityMoment) and moment.activity not in runbook.activities:
        raise ScenarioInvalid(
            f"{scenario.name!r} waits for an unknown activity: {moment.activity!r} is not in {runbook.module!r}",
            hint=f"activities: {', '.join(sorted(runbook.activities)) or 'none'}",
        )
