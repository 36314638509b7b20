"""A running game day: what the person says and does, the state of the incident, and when it is over."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from temporalio.api.history.v1 import HistoryEvent

from ..environment.run_context import RunContext
from ..errors import GameDayNotPossible, RehearsalError
from ..run.step_executor import StepExecutor
from ..scenario.scenario import holds
from ..scenario.view import RunView
from .declaration import GameDay, Incident
from .notes import END, MOST_TEXT, Ending, GameDayNote, NoteKind, ServerAction
from .observations import Observations, patient_is_well
from .server_actions import action_of, all_actions
from .state import GameDayState

LOOK_SECONDS = 2.0
POLL_SECONDS = 0.25


class GameDaySession(GameDayState):
    """Observes the run, and takes what the person and the facilitator say. Use it from the run's event loop.

    Args:
        day: The game day.
        incident: What goes wrong.
        facilitated: Whether a facilitator can judge causes.
        on_note: Called with each new note.
    """

    prefix = "gameday"

    def __init__(
        self,
        day: GameDay,
        incident: Incident,
        *,
        facilitated: bool = False,
        on_note: Callable[[GameDayNote], None] = lambda note: None,
    ) -> None:
        super().__init__(day, incident, facilitated=facilitated)
        self._on_note = on_note
        self._activity_paused = False
        self._over = asyncio.Event()
        self._started = asyncio.Event()
        self._polling: asyncio.Task[None] | None = None

    # The run

    async def begin(self, context: RunContext, executor: StepExecutor) -> None:
        """The runbook has started."""
        self._context, self._executor = context, executor
        self.observations = Observations(context)
        self._polling = asyncio.create_task(self._poll())
        self._started.set()

    async def started(self) -> RunContext:
        """Wait until the runbook has started."""
        await self._started.wait()
        return self.context

    def on_event(self, event: HistoryEvent, at: float) -> None:
        """The runbook's history has a new event."""
        from ...history import close_status

        self.status = (close_status(event) or "running").replace("_", " ")
        action = action_of(event, self.context.workflow_id, at)
        if action is not None and action.by != self.context.client.identity:
            self._acted(action)

    async def until_over(self) -> None:
        """Wait until it is over."""
        await self._over.wait()

    async def end(self, *, late: bool) -> None:
        """The run is over: look a last time."""
        if self._polling is not None:
            self._polling.cancel()
            await asyncio.gather(self._polling, return_exceptions=True)
        if late and self.ending is None:
            self.ending = "limit"
        if self.observations is not None:
            await self.observations.look(END)
        context = self.context
        known = {_moment(action) for action in self.server_actions}
        for action in await all_actions(context.client, context.workflow_id, context.timeline.began):
            if _moment(action) not in known:  # the watcher had not seen it yet, or it is of another workflow
                self._acted(action)

    async def _poll(self) -> None:
        """See whether it has recovered, and look at the tools from time to time."""
        next_look = 0.0
        while True:
            now = self.context.timeline.now()
            if now >= next_look and self.observations is not None:
                next_look = now + LOOK_SECONDS
                with contextlib.suppress(Exception):  # the next look counts
                    await self.observations.look()
            with contextlib.suppress(Exception):  # without this watch, nobody would see that it has recovered
                await self._see_recovery()
            await asyncio.sleep(POLL_SECONDS)

    async def _see_recovery(self) -> None:
        self._see_paused_activity()
        if self.recovered_at is None and await self._is_well():
            self.recovered_at = self.context.timeline.now()
            self._note("recovered", "")
        if self.recovered_at is not None and self.cause_is_settled and self.may_end:
            self.finish("recovered")

    def _see_paused_activity(self) -> None:
        """A paused activity is in no history: the tools show it."""
        seen = self.observations.found[-1:] if self.observations is not None else []
        paused = any(line.startswith("activity_paused") for item in seen for line in item.stuck)
        if paused and not self._activity_paused:
            at, workflow_id = self.context.timeline.now(), self.context.workflow_id
            self._acted(ServerAction(at, "pause", "an activity was paused", workflow_id, ""))
        self._activity_paused = paused

    def _acted(self, action: ServerAction) -> None:
        self.server_actions.append(action)
        self.context.timeline.note("person", action.what, at=action.at)

    async def _is_well(self) -> bool:
        """Whether all is well again; before anything went wrong, it is not."""
        if self.began_at is None:
            return False
        if self.day.recovered is not None:
            return await holds(self.day.recovered, RunView(self.context)) is None
        if self.context.patient is not None:
            return patient_is_well(self.context, self.context.patient, self.began_at)
        return self.status == "completed"

    # What the person says and does

    async def notice(self, text: str) -> dict[str, Any]:
        """The person has noticed something."""
        early = self.began_at is None
        note = self._note("noticed", _short(text))
        await self._look("noticed")
        return {"noted": note.text, "at": note.at, "early": early}

    async def name_cause(self, text: str) -> dict[str, Any]:
        """The person names a cause."""
        if not text.strip():
            raise GameDayNotPossible("a cause needs words", hint='devserver gameday cause "the database is full"')
        right = self.incident.is_named_by(text) if self.began_at is not None else False
        self._note("cause", _short(text), right=right, judged_by=None if right is None else "words")
        await self._look("a cause was named")
        return {"right": right, "facilitated": self.facilitated}

    async def give_hint(self) -> dict[str, Any]:
        """The next hint."""
        given = len(self.said("hint"))
        if given >= len(self.incident.hints):
            raise GameDayNotPossible("there is no further hint", hint="ask the facilitator, or end the game day")
        self._note("hint", self.incident.hints[given])
        await self._look("a hint")
        return {
            "hint": self.incident.hints[given],
            "left": len(self.incident.hints) - given - 1,
            "cost": self.day.hint_seconds,
        }

    async def act(self, name: str) -> dict[str, Any]:
        """Do one of the game day's own actions."""
        action = self.day.action(name)
        remedies = self.incident.remedies
        right = name in remedies if remedies else None
        context, executor = self.context, self._executor
        assert executor is not None  # noqa: S101 - it comes with the context
        start = getattr(action.action, "start", None) if context.worker is None else None
        try:
            if start is not None:  # the worker has crashed: there is none to replace
                await start(context)
            else:
                await executor.act(action.action, f"{name}: {action.what}", lane="person")
        except RehearsalError as error:
            self._note("action", name, right=right, problem=error.message)
            raise
        self._note("action", name, right=right)
        await self._look(f"the action {name}")
        return {"done": action.what}

    # What the facilitator does

    async def trigger(self, number: int) -> dict[str, Any]:
        """Do a step of the plan now."""
        steps = self.plan()
        if not 0 <= number < len(steps) or self._executor is None:
            raise GameDayNotPossible(f"the plan has no step {number}")
        await self._executor.trigger(number, "the facilitator")
        self._note("trigger", steps[number]["step"])
        return {"done": steps[number]["step"]}

    async def judge(self, number: int, *, right: bool) -> dict[str, Any]:
        """Judge the cause with this number, counted from 0."""
        causes = [at for at, note in enumerate(self.notes) if note.kind == "cause"]
        if not 0 <= number < len(causes):
            raise GameDayNotPossible(f"nobody has named a cause {number}")
        at = causes[number]
        self.notes[at] = replace(self.notes[at], right=right, judged_by="facilitator")
        self._on_note(self.notes[at])
        return {"right": right}

    def finish(self, ending: Ending) -> None:
        """End it; the first call counts."""
        if self.ending is None:
            self.ending = ending
            self._note("end", ending)
        self._over.set()

    async def _look(self, why: str) -> None:
        if self.observations is not None:
            await self.observations.look(why)

    def _note(
        self,
        kind: NoteKind,
        text: str,
        *,
        right: bool | None = None,
        judged_by: str | None = None,
        problem: str | None = None,
    ) -> GameDayNote:
        note = GameDayNote(self.context.timeline.now(), kind, text, right, judged_by, problem)
        self.notes.append(note)
        if kind in ("noticed", "cause", "hint"):
            self.context.timeline.note("person", f"{kind}: {text}".removesuffix(": "), at=note.at)
        if kind in ("recovered", "end"):
            self.context.timeline.note("check", {"recovered": "recovered"}.get(kind, f"the end: {text}"), at=note.at)
        self._on_note(note)
        return note


def _moment(action: ServerAction) -> tuple[str, str, int]:
    return action.workflow_id, action.kind, round(100 * action.at)


def _short(text: str) -> str:
    return text.strip()[:MOST_TEXT]
