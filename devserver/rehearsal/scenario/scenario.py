"""A scenario: a runbook, what is done to it and when, and what it is expected to do."""

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
    from ...cluster import Cluster, ExternalCluster
    from ..run.legacy_script import LegacyScript
    from .result import Judgement, RehearsalRun
    from .view import RunView

NOTHING: Any = object()
Check = Callable[..., bool | Awaitable[bool | None] | None]


class Expectation(Protocol):
    """Something that must be true of a run. `str()` of it says what.

    One that can be judged before the run has ended has `is_final(run)` too: whether its judgement can no longer change.
    """

    def judge(self, run: RehearsalRun) -> Judgement:
        """Judge a run."""
        ...


@dataclass(frozen=True)
class Scenario:
    """What a rehearsal does.

    Args:
        name: What is rehearsed, in the words of the team.
        runbook: The module with the workflows and activities, or its name (next to the scenario's file or importable).
        workflow: The runbook's workflow: its class, or the name of its type.
        input: The workflow's argument, if it takes one.
        args: The workflow's arguments, if it takes several.
        steady_state: Checks that must hold before the runbook starts and after it has ended. A check takes nothing, or
            a `RunView`; it fails if it returns False or raises. It may be async.
        plan: What is done, and when: `at.activity_starts("add_node").do(faults.kill_server())`.
        expect: What must be true in the end.
        limit: Seconds of the wall clock that the runbook may take.
        data_converter: The runbook's data converter, as `module:name`; None: the SDK's default.
        time_skipping: Whether its clock is virtual, so that timers of days take no time.
        legacy_script: The script that does the same today; it runs next to the runbook on a ledger of its own, and the
            two are compared.
        fixture: What the runbook works on, if that must be set up: a function that takes the run's folder (with its
            ledger) and returns a context manager. It is entered before each run, also of a baseline or a sweep, and
            exited after it; it may block. Its value is `fixture` of `RunView` and `RunContext`.
        patient: The cluster that the runbook is meant to recover. Each run has one with new data and a workload, and it
            is removed in the end; `patient` of `RunView`, `RunContext` and `RehearsalRun` is this cluster and its
            evidence. An `ExternalCluster` is only looked at: no fault of the patient can be planned.
        memo: Any text for the report, such as a link to the runbook's documentation.
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
    patient: Cluster | ExternalCluster | None = None
    memo: str = ""
    file: Path | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if self.input is not NOTHING and self.args:
            raise ScenarioInvalid(f"the scenario {self.name!r} has both input and args", hint="use one of them")
        _validate(self)
        for step in self.plan:
            if not isinstance(step, PlanStep):
                raise ScenarioInvalid(
                    f"the plan of {self.name!r} contains {step!r}, which is not a step",
                    hint="a step is a moment and its actions: at.elapsed(1).do(faults.kill_server())",
                )

    @property
    def arguments(self) -> list[Any]:
        """The workflow's arguments."""
        return list(self.args) if self.input is NOTHING else [self.input]

    @property
    def needs_baseline(self) -> bool:
        """Whether the runbook runs without faults first, because an expectation or a moment needs that run."""
        parts = (*self.expect, *(step.moment for step in self.plan))
        return any(getattr(part, "needs_baseline", False) for part in parts)

    @property
    def module(self) -> str:
        """The name of the runbook's module."""
        return self.runbook if isinstance(self.runbook, str) else self.runbook.__name__


def _validate(scenario: Scenario) -> None:
    """Check that each part of a scenario is of the right kind.

    Raises:
        ScenarioInvalid: One is not.
    """
    name = scenario.name
    for part in ("steady_state", "plan", "expect"):
        if not isinstance(getattr(scenario, part), (list, tuple)):
            raise ScenarioInvalid(
                f"the {part} of {name!r} must be a list, not {getattr(scenario, part)!r}", hint=f"use {part}=[...]"
            )
    for item in scenario.steady_state:
        if not callable(item):
            raise ScenarioInvalid(
                f"the steady_state of {name!r} contains {item!r}, which is not a function",
                hint="name the function without parentheses; it is called before and after the run",
            )
    for wanted in scenario.expect:
        if isinstance(wanted, type) or not callable(getattr(wanted, "judge", None)):
            raise ScenarioInvalid(
                f"{name!r} expects {_named(wanted)}, which is not an expectation",
                hint=CALL_IT.format(example="expect.completes()"),
            )
    limit: Any = scenario.limit
    if isinstance(limit, bool) or not isinstance(limit, (int, float)) or not 0 < limit < math.inf:
        raise ScenarioInvalid(f"the limit of {name!r} must be a number of seconds greater than 0, not {limit!r}")


def _named(each: object) -> str:
    return str(getattr(each, "__name__", repr(each)))


async def holds(check: Check, view: RunView) -> str | None:
    """None if a check of the steady state holds, else why it does not."""
    import inspect

    try:
        answer = check(view) if inspect.signature(check).parameters else check()
        if inspect.isawaitable(answer):
            answer = await answer
    except Exception as error:  # noqa: BLE001 - a user's check
        return f"{type(error).__name__}: {error}"
    return "it returned False" if answer is False else None


def name_of(check: Check) -> str:
    """A check's display name: the first line of its docstring, or its name."""
    doc = (getattr(check, "__doc__", None) or "").strip().splitlines()
    return doc[0].rstrip(".") if doc else str(getattr(check, "__name__", check)).replace("_", " ")
