"""Checks a scenario against its runbook, before anything is started."""

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
    """The scenario's runbook, once it is sure that it has what the scenario names.

    Raises:
        ScenarioInvalid: It has not.
    """
    if scenario.file is not None:
        go_home(scenario.file.parent)
    runbook = Runbook.load(scenario.module)
    _arguments(scenario, runbook.workflow(scenario.workflow))
    for step in scenario.plan:
        _activity(step.moment, scenario, runbook)
        for each in (step.moment, *step.actions):
            if hasattr(each, "check"):
                each.check(scenario)
    return runbook


def _arguments(scenario: Scenario, workflow: type) -> None:
    run = inspect.signature(getattr(workflow, WORKFLOW).run_fn)
    try:
        run.bind(None, *scenario.arguments)  # the server drops what is too much, without a word
    except TypeError as error:
        raise ScenarioInvalid(
            f"{scenario.name!r} does not give its workflow what it takes: {error}",
            hint=f"{workflow.__name__} is run with {run}; input=... is one argument, args=[...] are several",
        ) from None
    if any(each is ... for each in scenario.arguments):
        raise ScenarioInvalid(
            f"{scenario.name!r} gives its workflow a value that is still to be written: ...",
            hint=f"see {scenario.file}",
        )
    sendable(f"{scenario.name!r}", scenario.arguments, converter(scenario.data_converter))


def _activity(moment: Moment, scenario: Scenario, runbook: Runbook) -> None:
    if isinstance(moment, ActivityMoment) and moment.activity not in runbook.activities:
        raise ScenarioInvalid(
            f"{scenario.name!r} waits for an activity {moment.activity!r} that {runbook.module!r} has not",
            hint=f"it has: {', '.join(sorted(runbook.activities)) or 'none'}",
        )
