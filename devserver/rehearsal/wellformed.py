"""Refuses a scenario that is written wrongly, when it is written: each mistake with the right form."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from .errors import ScenarioInvalid

if TYPE_CHECKING:
    from .scenario.scenario import Scenario

CALLED = "it is called, with its brackets: {example}"


def wellformed(scenario: Scenario) -> None:
    """See that each of its parts is of the right kind.

    Raises:
        ScenarioInvalid: One is not.
    """
    name = scenario.name
    for part in ("steady_state", "plan", "expect"):
        if not isinstance(getattr(scenario, part), (list, tuple)):
            raise ScenarioInvalid(
                f"the {part} of {name!r} is a list, not {getattr(scenario, part)!r}", hint=f"{part}=[...]"
            )
    for each in scenario.steady_state:
        if not callable(each):
            raise ScenarioInvalid(
                f"the steady_state of {name!r} holds {each!r}, which cannot be called",
                hint="a check is a function: it is named here without brackets, and called before and after",
            )
    for wanted in scenario.expect:
        if isinstance(wanted, type) or not callable(getattr(wanted, "judge", None)):
            raise ScenarioInvalid(
                f"{name!r} expects {_named(wanted)}, which is no expectation",
                hint=CALLED.format(example="expect.completes()"),
            )
    limit: Any = scenario.limit
    if isinstance(limit, bool) or not isinstance(limit, (int, float)) or not 0 < limit < math.inf:
        raise ScenarioInvalid(f"the limit of {name!r} is a number of seconds, more than 0, not {limit!r}")


def action(each: object, moment: object) -> None:
    """See that something can be done at a moment.

    Raises:
        ScenarioInvalid: It is no fault and no drill.
    """
    if isinstance(each, type) or not callable(getattr(each, "begin", None)):
        raise ScenarioInvalid(
            f"{_named(each)} cannot be done ({moment}): it is no fault and no drill",
            hint=CALLED.format(example="faults.kill_server()"),
        )


def _named(each: object) -> str:
    return str(getattr(each, "__name__", repr(each)))
