"""A game day: a scenario that a person plays, what may go wrong in it, and how the right cause is recognized."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..errors import ScenarioInvalid
from ..scenario.plan import CALL_IT, Action, PlanStep
from ..scenario.scenario import Check, Scenario

ACTION_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}\Z")
WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class GameDayAction:
    """Something that the person can have done, as the tools of the team would: deploy, roll back, restart.

    Args:
        name: What the person types: `devserver gameday act NAME`.
        what: What it does, in one line; the person sees it from the start.
        action: The fault or drill that does it, such as `faults.replace_worker("payouts")`.
    """

    name: str
    what: str
    action: Action

    def __post_init__(self) -> None:
        if not ACTION_NAME.match(self.name):
            raise ScenarioInvalid(
                f"an action of a game day cannot be called {self.name!r}",
                hint="use lower-case letters, digits and dashes, such as roll-back",
            )
        if isinstance(self.action, type) or not callable(getattr(self.action, "begin", None)):
            raise ScenarioInvalid(
                f"the action {self.name!r} does nothing: {self.action!r}",
                hint=CALL_IT.format(example="faults.kill_worker()"),
            )


@dataclass(frozen=True)
class Incident:
    """What goes wrong in a game day. Only the facilitator sees it before the debrief.

    Args:
        cause: The true cause, in one sentence.
        plan: The steps that make it happen, as in a scenario.
        named: How the right cause is recognized: each entry is one or more words, and a cause that the person names is
            right if it has all words of one entry ("bad build", "poison order-7"). Empty: the facilitator judges.
        hints: What the person gets who asks for a hint, one after the other.
        remedies: Names of the actions of the game day that help; the others are detours. Empty: not judged.
        lesson: What to remember, for the debrief.
    """

    cause: str
    plan: Sequence[PlanStep] = ()
    named: Sequence[str] = ()
    hints: Sequence[str] = ()
    remedies: Sequence[str] = ()
    lesson: str = ""

    def __post_init__(self) -> None:
        for part in ("plan", "named", "hints", "remedies"):
            if not isinstance(getattr(self, part), (list, tuple)):
                raise ScenarioInvalid(
                    f"the {part} of an incident must be a list, not {getattr(self, part)!r}", hint=f"use {part}=[...]"
                )
        for step in self.plan:
            if not isinstance(step, PlanStep):
                raise ScenarioInvalid(
                    f"the plan of the incident {self.cause!r} contains {step!r}, which is not a step",
                    hint="a step is a moment and its actions: at.elapsed(1).do(faults.kill_server())",
                )

    def is_named_by(self, text: str) -> bool | None:
        """Whether a text names this cause; None if the facilitator has to judge."""
        if not self.named:
            return None
        words = _words(text)
        return any(_words(entry) <= words for entry in self.named if _words(entry))


@dataclass(frozen=True)
class GameDay:
    """A rehearsal for people.

    Args:
        scenario: What runs. Its own plan is part of every incident.
        incidents: What may go wrong; the seed chooses one of them.
        briefing: What the person knows at the start: what runs here, and what it is for. No symptom, no cause.
        actions: What the team's own tools can do: `devserver gameday act NAME`.
        recovered: Whether all is well again; a check as in `steady_state`, with or without a `RunView`. None: the
            runbook has completed, or the cluster of the scenario runs workflows.
        hint_seconds: What each hint costs, in seconds.
    """

    scenario: Scenario
    incidents: Sequence[Incident] = ()
    briefing: str = ""
    actions: Sequence[GameDayAction] = ()
    recovered: Check | None = None
    hint_seconds: float = 60.0
    file: Path | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.scenario, Scenario):
            raise ScenarioInvalid(f"a game day needs a Scenario, not {self.scenario!r}")
        _validate("incidents", self.incidents, Incident)
        _validate("actions", self.actions, GameDayAction)
        names = [action.name for action in self.actions]
        unknown = [name for incident in self.incidents for name in incident.remedies if name not in names]
        if unknown:
            raise ScenarioInvalid(
                f"a remedy of the game day {self.name!r} is not one of its actions: {unknown[0]}",
                hint=f"actions: {', '.join(names) or 'none'}",
            )

    @property
    def name(self) -> str:
        """The scenario's name."""
        return self.scenario.name

    def drawn(self, seed: int) -> tuple[Incident, Scenario]:
        """The incident of this seed, and the scenario with its plan."""
        if not self.incidents:
            return Incident("what the plan of the scenario does", self.scenario.plan), self.scenario
        incident = random.Random(seed).choice(self.incidents)  # noqa: S311 - not for security
        return incident, replace(self.scenario, plan=[*self.scenario.plan, *incident.plan])

    def action(self, name: str) -> GameDayAction:
        """The action of that name.

        Raises:
            ScenarioInvalid: There is none.
        """
        for action in self.actions:
            if action.name == name:
                return action
        names = ", ".join(action.name for action in self.actions) or "none"
        raise ScenarioInvalid(f"unknown action {name!r}", hint=f"actions of this game day: {names}")


def _validate(part: str, items: Any, kind: type) -> None:
    if not isinstance(items, (list, tuple)) or not all(isinstance(item, kind) for item in items):
        raise ScenarioInvalid(f"the {part} of a game day must be a list of {kind.__name__}(...), not {items!r}")


def _words(text: str) -> frozenset[str]:
    return frozenset(WORD.findall(text.casefold()))
