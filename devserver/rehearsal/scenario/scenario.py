"""A scenario: a runbook, what is done to it and when, and what is expected of it."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol

from ..errors import ScenarioInvalid
from .plan import CALL_IT, PlanStep

if TYPE_CHECKING:
    from ..run.legacy_script import LegacyScript
    from .result import Judgement, RehearsalRun
    from .view import RunView

NOTHING: Any = object()
Check = Callable[..., bool | Awaitable[bool | None] | None]


class Expectation(Protocol):
    """Something that must be true of a run. `str` of it says what."""

    def judge(self, run: RehearsalRun) -> Judgement:
        """What a run says about it."""
        ...


@dataclass(frozen=True)
class Scenario:
    """A rehearsal's text.

    Args:
        name: What is rehearsed, in the words of the team.
        runbook: The module with the workflows and activities: its name (beside the scenario's file, or importable).
        workflow: The runbook's workflow: its class, or the name of its type.
        input: Its argument, if it takes one.
        args: Its arguments, if it takes several.
        steady_state: Checks that must hold before the runbook begins and after it has ended. A check takes nothing, or
            a `RunView`; it returns False or raises where it does not hold. It may be async.
        plan: What is done, and when: `at.activity_starts("add_node").do(faults.kill_server())`.
        expect: What must be true in the end.
        limit: Seconds that the runbook has (of the wall clock).
        data_converter: The runbook's, as `module:name`; None: the SDK's default.
        time_skipping: Whether its clock is virtual, so that timers of days take no time.
        old_way: The script that does the same today; it is run beside the runbook on its own ledger, and compared.
        world: What the runbook works on, where that must be made first: takes the run's folder (its ledger is there)
            and gives a context manager, which is entered before each run, also those without faults and of a sweep,
            and left after it. It may block. What it gives is the `fixture` of a `RunView` and of an action's stage.
        memo: Anything for the report, such as a link to the runbook's page.
    """

    name: str
    runbook: str | ModuleType
    workflow: str | type
    input: Any = NOTHING
    args: Sequence[Any] = ()
    steady_state: Sequence[Check] = ()
    plan: Sequence[PlanStep] = ()
    expect: Sequence[Expectation] = ()
    limit: float = 60.0
    data_converter: str | None = None
    time_skipping: bool = False
    legacy_script: LegacyScript | None = None
    fixture: Callable[[Path], AbstractContextManager[Any]] | None = None
    memo: str = ""
    file: Path | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if self.input is not NOTHING and self.args:
            raise ScenarioInvalid(f"the scenario {self.name!r} has both input and args", hint="use one of them")
        _validate(self)
        for step in self.plan:
            if not isinstance(step, PlanStep):
                raise ScenarioInvalid(
                    f"the plan of {self.name!r} holds {step!r}, which is no step",
                    hint="a step is a moment and what is done then: at.elapsed(1).do(faults.kill_server())",
                )

    @property
    def arguments(self) -> list[Any]:
        """The workflow's arguments."""
        return list(self.args) if self.input is NOTHING else [self.input]

    @property
    def needs_baseline(self) -> bool:
        """Whether the runbook is run without faults first: an expectation or a moment compares with that."""
        parts = (*self.expect, *(step.moment for step in self.plan))
        return any(getattr(each, "needs_baseline", False) for each in parts)

    @property
    def module(self) -> str:
        """The runbook's module's name."""
        return self.runbook if isinstance(self.runbook, str) else self.runbook.__name__


def _validate(scenario: Scenario) -> None:
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
                hint=CALL_IT.format(example="expect.completes()"),
            )
    limit: Any = scenario.limit
    if isinstance(limit, bool) or not isinstance(limit, (int, float)) or not 0 < limit < math.inf:
        raise ScenarioInvalid(f"the limit of {name!r} is a number of seconds, more than 0, not {limit!r}")


def _named(each: object) -> str:
    return str(getattr(each, "__name__", repr(each)))


async def holds(check: Check, view: RunView) -> str | None:
    """None where a check of the steady state holds, else why it does not."""
    import inspect

    try:
        answer = check(view) if inspect.signature(check).parameters else check()
        if inspect.isawaitable(answer):
            answer = await answer
    except Exception as error:  # noqa: BLE001 - a user's check
        return f"{type(error).__name__}: {error}"
    return "it returned False" if answer is False else None


def name_of(check: Check) -> str:
    """A check's name for people: the first line of its docstring, or its name."""
    doc = (getattr(check, "__doc__", None) or "").strip().splitlines()
    return doc[0].rstrip(".") if doc else str(getattr(check, "__name__", check)).replace("_", " ")
