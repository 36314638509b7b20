"""The state of a game day: what was noted so far, and what follows from it."""

from __future__ import annotations

from typing import Any

from ..environment.run_context import RunContext
from ..errors import GameDayNotPossible
from ..run.step_executor import StepExecutor
from .declaration import GameDay, Incident
from .notes import Ending, GameDayNote, NoteKind, ServerAction
from .observations import Observations


class GameDayState:
    """What is known of a game day. Any thread may read it.

    Attributes:
        notes: What was said and done, by time.
        server_actions: What was done on the server.
        ending: What has ended it; None while it runs.
        recovered_at: When all was well again, in seconds after the run's start.
        status: The status of the runbook.
        observations: What the tools showed; None before the runbook has started.
    """

    def __init__(self, day: GameDay, incident: Incident, *, facilitated: bool = False) -> None:
        self.day = day
        self.incident = incident
        self.facilitated = facilitated
        self.notes: list[GameDayNote] = []
        self.server_actions: list[ServerAction] = []
        self.ending: Ending | None = None
        self.recovered_at: float | None = None
        self.status = "running"
        self.observations: Observations | None = None
        self._context: RunContext | None = None
        self._executor: StepExecutor | None = None

    @property
    def has_started(self) -> bool:
        """Whether the runbook has started."""
        return self._context is not None

    @property
    def context(self) -> RunContext:
        """The run.

        Raises:
            GameDayNotPossible: The runbook has not started yet.
        """
        if self._context is None:
            raise GameDayNotPossible("the runbook has not started yet", hint="wait a moment, and try again")
        return self._context

    @property
    def began_at(self) -> float | None:
        """When the first thing went wrong: the first fault, else the first failure; None while all is well."""
        if self._context is None:
            return None
        timeline = self._context.timeline
        faults = [mark.at for mark in timeline.of("fault")]
        failures = [mark.until or mark.at for mark in timeline.of("activity") if mark.detail.get("ended") == "fails"]
        failures += [mark.at for mark in timeline.of("event") if mark.what == "WorkflowTaskFailed"]
        return min(faults, default=min(failures, default=None))

    @property
    def noticed_at(self) -> float | None:
        """When the person noticed it: said so or paused the runbook, after it began."""
        began = self.began_at
        if began is None:
            return None
        moments = [note.at for note in self.notes if note.kind == "noticed"]
        moments += [action.at for action in self.server_actions if action.kind == "pause"]
        return min((at for at in moments if at >= began), default=None)

    @property
    def cause_named_at(self) -> float | None:
        """When the right cause was named."""
        return next((note.at for note in self.notes if note.kind == "cause" and note.right), None)

    @property
    def cause_is_settled(self) -> bool:
        """Whether the right cause was named, or nobody could say whether it is right."""
        return self.cause_named_at is not None or not (self.incident.named or self.facilitated)

    @property
    def may_end(self) -> bool:
        """Whether nothing is left to see: the runbook has ended, if an expectation is about its end."""
        ends = any(getattr(wanted, "judges_end", False) for wanted in self.day.scenario.expect)
        return self.status != "running" or not ends

    def said(self, kind: NoteKind) -> list[GameDayNote]:
        """The notes of one kind."""
        return [note for note in self.notes if note.kind == kind]

    def state(self) -> dict[str, Any]:
        """What the person may know."""
        now = self.context.timeline.now()
        limit = self.day.scenario.limit
        return {
            "name": self.day.name,
            "seconds": now,
            "limit": limit,
            "seconds_left": max(0.0, limit - now),
            "workflow_id": self.context.workflow_id,
            "status": self.status,
            "noticed": self.noticed_at is not None,
            "cause_named": self.cause_named_at is not None,
            "recovered": self.recovered_at is not None,
            "hints": len(self.said("hint")),
            "hints_left": len(self.incident.hints) - len(self.said("hint")),
            "ending": self.ending,
        }

    def plan(self) -> list[dict[str, Any]]:
        """The steps of the plan, for the facilitator: number, words, and whether each is still to come."""
        if self._executor is None:
            return []
        return [
            {"number": number, "step": str(step), "open": self._executor.is_open(number)}
            for number, step in enumerate(self._executor.plan)
        ]
