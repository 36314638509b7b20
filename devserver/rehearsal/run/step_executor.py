"""Executes the steps of a plan when their moments come."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Coroutine, Sequence
from typing import Any

from ...errors import DevServerError
from ..environment.asyncio_compat import within
from ..environment.run_context import RunContext
from ..errors import FaultImpossible
from ..scenario.events import SERVER, ActivityTrigger, HistoryTrigger, LogTrigger, TimeTrigger, TriggerEvent
from ..scenario.plan import Action, PlanStep
from ..scenario.result import StepResult
from ..scenario.view import RunView

EVENT_SECONDS = 0.5


class StepExecutor:
    """Takes the trigger events of one run, and executes each step of the plan at the first event that matches it."""

    def __init__(self, context: RunContext, plan: Sequence[PlanStep]) -> None:
        self._context = context
        self._open = list(plan)
        self._plan = list(plan)
        self._done: dict[int, StepResult] = {}
        self._counts: Counter[tuple[str, str]] = Counter()
        self._spans: dict[tuple[str, str, int], int] = {}
        self._handled: dict[str, asyncio.Event] = {}
        self._waiting: list[asyncio.Task[None]] = []
        self._doing: list[asyncio.Task[None]] = []
        self._rests: list[asyncio.Task[None]] = []

    # Trigger events

    async def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        """Answer an activity that asks how to continue, after the steps planned for this moment are done."""
        phase, activity = question["phase"], question["activity"]
        if phase == "starts" and question["workflow_id"] == self._context.workflow_id:
            with contextlib.suppress(asyncio.TimeoutError):  # a server that is down sends no event
                await within(EVENT_SECONDS, self._scheduled(question["activity_id"]).wait())
        self._counts[phase, activity] += 1
        self._mark(question)
        trigger = ActivityTrigger(
            phase=phase,
            activity=activity,
            nth=self._counts[phase, activity],
            attempt=question["attempt"],
            workflow_id=question["workflow_id"],
            activity_id=question["activity_id"],
        )
        await self.take(trigger)
        return {"order": trigger.instruction.order, "detail": trigger.instruction.detail}

    async def event(self, kind: str, number: int, *, first_run: bool, activity_id: str = "") -> None:
        """The history has a new event; `activity_id` is that of the activity it schedules, if any."""
        self._counts["event", kind] += 1
        await self.take(HistoryTrigger(kind, self._counts["event", kind], number if first_run else 0))
        self._scheduled(activity_id).set()

    def _scheduled(self, activity_id: str) -> asyncio.Event:
        """Set when the steps planned at the scheduling event are done: they come before the activity."""
        return self._handled.setdefault(activity_id, asyncio.Event())

    async def log(self, line: str, where: str = SERVER) -> None:
        """The server, or a member of the patient, has logged a line."""
        self._counts["log", where] += 1
        await self.take(LogTrigger(line, self._counts["log", where], where))

    async def take(self, trigger: TriggerEvent) -> None:
        """Execute the steps planned for this trigger event."""
        for step in [item for item in self._open if item.moment.matches(trigger)]:
            self._open.remove(step)
            self._doing.append(asyncio.create_task(self._do(step, trigger)))
            await asyncio.shield(self._doing[-1])  # a started step is completed, even if the runbook ends meanwhile

    def begin(self) -> None:
        """The runbook has started: wait for moments that come without a trigger event."""
        view = RunView(self._context)
        self._waiting = [asyncio.create_task(self._await(step, view)) for step in self._plan]

    async def _await(self, step: PlanStep, view: RunView) -> None:
        try:
            what = await step.moment.comes(view)
        except Exception as error:  # noqa: BLE001 - a user's condition
            self._missed(step, f"its condition raised {type(error).__name__}: {error}")
            return
        if what is not None:
            await self.take(TimeTrigger(step.moment, what))
            step.moment.over(view)

    async def trigger(self, number: int, why: str) -> None:
        """Do a step of the plan now, whatever its moment is.

        Raises:
            FaultImpossible: It has been done already.
        """
        step = self._plan[number]
        if step not in self._open:
            raise FaultImpossible(f"this was done already: {step}")
        self._open.remove(step)
        self._doing.append(asyncio.create_task(self._do(step, TimeTrigger(step.moment, why))))
        await asyncio.shield(self._doing[-1])

    @property
    def plan(self) -> Sequence[PlanStep]:
        """All steps, with the random moments of this run."""
        return self._plan

    def is_open(self, number: int) -> bool:
        """Whether a step of the plan is still to come."""
        return self._plan[number] in self._open

    async def act(self, action: Action, why: str, *, lane: str) -> None:
        """Do something that is not planned, such as what a person asks for; it is marked in this lane.

        Raises:
            FaultImpossible: It cannot be done here or now.
        """
        trigger = TimeTrigger(self, why)
        mark = self._context.timeline.note(lane, why)
        try:
            rest = await action.begin(self._context, trigger)
        except Exception as error:
            self._context.timeline.end(mark, problem=_words(error))
            if isinstance(error, DevServerError):
                raise
            raise FaultImpossible(_words(error)) from error
        if rest is None:
            self._context.timeline.end(mark)
        else:
            self._rests.append(asyncio.create_task(self._unplanned(mark, rest)))

    async def _unplanned(self, mark: int, rest: Coroutine[Any, Any, None]) -> None:
        problem = {}
        try:
            await rest
        except Exception as error:  # noqa: BLE001 - as for planned ones
            problem = {"problem": _words(error)}
        finally:
            self._context.timeline.end(mark, **problem)

    # Doing

    async def _do(self, step: PlanStep, trigger: TriggerEvent) -> None:
        self._done[self._plan.index(step)] = StepResult(str(step), self._context.timeline.now(), str(trigger))
        for action in step.actions:
            mark = self._context.timeline.note(_lane(action), str(action), trigger=str(trigger), **_planned(action))
            try:
                rest = await action.begin(self._context, trigger)
            except Exception as error:  # noqa: BLE001 - a user's action, or a call to a server that is down
                self._missed(step, _words(error))
                self._context.timeline.end(mark, problem=_words(error))
                continue
            if rest is None:
                self._context.timeline.end(mark)
            else:
                self._rests.append(asyncio.create_task(self._rest(step, mark, rest)))

    async def _rest(self, step: PlanStep, mark: int, rest: Coroutine[Any, Any, None]) -> None:
        problem = {}
        try:
            await rest
        except Exception as error:  # noqa: BLE001 - as above
            self._missed(step, _words(error))
            problem = {"problem": _words(error)}
        finally:
            self._context.timeline.end(mark, **problem)

    def _missed(self, step: PlanStep, problem: str) -> None:
        number = self._plan.index(step)
        done = self._done.get(number, StepResult(str(step), None, None))
        problems = [] if done.problem is None else done.problem.split("; ")
        self._done[number] = StepResult(
            done.step, done.at, done.trigger, "; ".join(dict.fromkeys([*problems, problem]))
        )

    def _mark(self, question: dict[str, Any]) -> None:
        key = (question["workflow_id"], question["activity_id"], question["attempt"])
        name = question["activity"]
        if question["phase"] == "starts":
            detail = {
                "attempt": question["attempt"],
                "id": question["activity_id"],
                "workflow_id": question["workflow_id"],
            }
            self._spans[key] = self._context.timeline.note("activity", name, **detail)
        elif key in self._spans:
            how = {"ended": question["phase"], **({"error": question["error"]} if "error" in question else {})}
            self._context.timeline.end(self._spans.pop(key), **how)

    @property
    def idle(self) -> bool:
        """Whether no step is running or still to come."""
        return not self._open and all(task.done() for task in [*self._doing, *self._rests])

    # The end

    async def settle(self) -> None:
        """The runbook has ended: stop waiting for moments, and end and restore faults in effect."""
        self._context.over.set()
        for task in self._waiting:
            task.cancel()
        await asyncio.gather(*self._waiting, return_exceptions=True)
        for number in range(len(self._doing)):
            await self._doing[number]
        for number in range(len(self._rests)):
            await self._rests[number]

    async def abandon(self) -> None:
        """Cancel everything, whatever state that leaves server and worker in."""
        for task in [*self._waiting, *self._doing, *self._rests]:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await task

    @property
    def steps(self) -> tuple[StepResult, ...]:
        """The result of each step of the plan."""
        return tuple(
            self._done.get(number, StepResult(str(step), None, None))
            for number, step in enumerate(self._plan)
            if number in self._done or not step.moment.optional
        )


def _words(error: Exception) -> str:
    return error.message if isinstance(error, DevServerError) else f"{type(error).__name__}: {error}"


def _lane(action: Action) -> Any:
    return getattr(action, "lane", "fault")


def _planned(action: Action) -> dict[str, float]:
    """How long the outage of a fault is planned to last, if it says so."""
    seconds = getattr(action, "down", getattr(action, "seconds", None))
    return {"planned_seconds": seconds} if isinstance(seconds, (int, float)) else {}
