"""Drills that pause the runbook and resume it, and check that nothing starts in between."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Any, ClassVar
from uuid import uuid4

from temporalio.api.enums.v1 import EventType
from temporalio.api.enums.v1 import WorkflowExecutionStatus as Status
from temporalio.api.workflowservice.v1 import PauseWorkflowExecutionRequest, UnpauseWorkflowExecutionRequest

from ..environment.run_context import RunContext
from ..environment.virtual_clock import ClockStop, RunClock
from ..errors import FaultImpossible, ScenarioInvalid
from ..faults._numbers import seconds
from ..run.downtime import ON_ITS_WAY
from ..scenario.events import TriggerEvent
from ..scenario.result import Judgement
from ..scenario.scenario import Scenario
from .operator import REASON, Operator
from .validation import planned

MINUTE = 60
PAUSED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_PAUSED
STARTS = {
    EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED: "an activity",
    EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED: "a workflow task",
}


@dataclass(frozen=True)
class Pause:
    """The runbook is paused, for a while or until it is resumed."""

    seconds: float | None
    lane: ClassVar[str] = "drill"

    def check(self, scenario: Scenario) -> None:
        """The rehearsal is longer than the pause."""
        if self.seconds is not None and self.seconds >= scenario.limit and not scenario.time_skipping:
            raise ScenarioInvalid(
                f"{self}, and {scenario.name!r} is given up after {scenario.limit:g} s",
                hint="Scenario(..., time_skipping=True) makes a night short, limit=... gives the runbook more time",
            )

    async def begin(self, context: RunContext, trigger: TriggerEvent) -> Coroutine[Any, Any, None] | None:
        """Pause it; the rest resumes it."""
        operator = Operator(context)
        request = PauseWorkflowExecutionRequest(
            namespace=operator.namespace, workflow_id=context.workflow_id, reason=REASON, request_id=uuid4().hex
        )
        await operator.call(operator.service.pause_workflow_execution, request)
        if await operator.status() != Status.WORKFLOW_EXECUTION_STATUS_PAUSED:
            raise FaultImpossible("the server has acknowledged the pause, and the runbook is not paused")
        if self.seconds is not None:
            return self._rest(context, self.seconds)
        context.judgements.append(Judgement(str(self), "pass", "the server tells that it is paused"))
        return None

    async def _rest(self, context: RunContext, seconds: float) -> None:
        if context.clock is None or seconds <= HELD_SECONDS:
            await context.lasts(seconds)
            context.judgements.append(await _resumed(context, str(self)))
            return
        await context.lasts(HELD_SECONDS)
        night = await falls(context, context.clock, timedelta(seconds=seconds - HELD_SECONDS))
        judgement = await _resumed(context, str(self))
        context.judgements.append(replace(judgement, evidence=judgement.evidence + await passes(context, night)))

    def __str__(self) -> str:
        return "the runbook is paused" + ("" if self.seconds is None else f" for {_length(self.seconds)}")


@dataclass(frozen=True)
class Resume:
    """The runbook is resumed."""

    lane: ClassVar[str] = "drill"

    def check(self, scenario: Scenario) -> None:
        """There is a pause before it."""
        planned(scenario, self, after=Pause, hint="plan drills.pause() at an earlier moment")

    async def begin(self, context: RunContext, trigger: TriggerEvent) -> None:
        """Resume it."""
        context.judgements.append(await _resumed(context, str(self)))

    def __str__(self) -> str:
        return "the runbook is resumed"


async def _resumed(context: RunContext, name: str) -> Judgement:
    """Resume it, and say what started since it was paused."""
    operator = Operator(context)
    if await operator.status() != Status.WORKFLOW_EXECUTION_STATUS_PAUSED:
        raise FaultImpossible("the runbook is not paused any more: it has ended, or somebody else has resumed it")
    started = [*await _started(operator), *_elsewhere(context)]
    request = UnpauseWorkflowExecutionRequest(
        namespace=operator.namespace, workflow_id=context.workflow_id, reason=REASON, request_id=uuid4().hex
    )
    try:
        await operator.call(operator.service.unpause_workflow_execution, request)
    except FaultImpossible:
        if await operator.status() == Status.WORKFLOW_EXECUTION_STATUS_PAUSED:  # else an earlier try has done it
            raise
    if started:
        return Judgement(name, "fail", f"while it was paused, {started[0]} started", started)
    return Judgement(name, "pass", "nothing started while it was paused")


async def _started(operator: Operator) -> list[str]:
    """What of the runbook itself has started since it was paused, by the server's clock."""
    events = (await operator.history()).events
    since = [event.event_time.ToDatetime(timezone.utc) for event in events if event.event_type == PAUSED][-1]
    begun = [
        STARTS[event.event_type]
        for event in events
        if event.event_type in STARTS and event.event_time.ToDatetime(timezone.utc) > since
    ]
    pending = (await operator.describe()).pending_activities
    return begun + [
        f"{each.activity_type.name} (attempt {each.attempt})"
        for each in pending
        if _after(each.last_started_time, since)
    ]


def _length(seconds: float) -> str:
    return f"{seconds:g} s" if seconds < MINUTE else str(timedelta(seconds=seconds))


def _after(stamp: Any, since: datetime) -> bool:
    return bool(stamp.seconds) and stamp.ToDatetime(timezone.utc) > since


def _elsewhere(context: RunContext) -> Iterator[str]:
    """Which activities of other workflows, such as the runbook's children, have started since it was paused."""
    events = [mark for mark in context.timeline.of("event") if mark.what == "WorkflowExecutionPaused"]
    since = max((mark.at for mark in events), default=context.timeline.now()) + ON_ITS_WAY
    for mark in context.timeline.of("activity"):
        if mark.at > since and mark.detail.get("workflow_id") != context.workflow_id:
            yield f"{mark.what} of the workflow {mark.detail.get('workflow_id')} (a pause leaves children be)"


def pause(for_: float | timedelta | None = None) -> Pause:
    """The runbook is paused, by the server's own means, for so long or until `resume()`.

    Attempts of activities that run may finish. That nothing starts until it is resumed is checked: no workflow task, no
    attempt of an activity, neither of the runbook nor of another workflow on its worker. The server pauses no children.

    With `time_skipping` the time is the runbook's: `pause(for_=timedelta(hours=8))` is a night. As the server does not
    move the clock of a paused workflow, the pause is held for half a second, and the clock moves by the rest right
    after the resume: a timer that is due in the night fires then at its own time, not in the morning.

    Raises:
        ScenarioInvalid: The time is negative, or no time.
    """
    return Pause(None if for_ is None else seconds(for_, "pause(for_=...)"))


def resume() -> Resume:
    """The runbook, which was paused by `pause()`, is resumed; that nothing started in between is checked."""
    return Resume()


HELD_SECONDS = 0.5  # of the wall clock, in which nothing may start


PLANNED_SECONDS = 2.0


LOOK_SECONDS = 0.02


async def falls(context: RunContext, clock: RunClock, length: timedelta) -> ClockStop:
    """Have the clock move that far as soon as the runbook is resumed; returns when the server knows."""
    stop = await clock.ahead(length)
    operator = Operator(context)
    until = context.timeline.now() + PLANNED_SECONDS
    while context.timeline.now() < until:
        config = (await operator.describe()).workflow_extended_info.time_skipping_info.effective_config
        if config.enabled and config.HasField("fast_forward_config"):
            break
        await asyncio.sleep(LOOK_SECONDS)
    return stop


async def passes(context: RunContext, stop: ClockStop) -> str:
    """Wait until it is over; what to say of it."""
    ways = [asyncio.create_task(each.wait()) for each in (stop.arrived, context.over)]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
    if stop.arrived.is_set():
        return "; its clock, which the server does not move during a pause, moved on right after it"
    return "; it ended before its clock had moved on by that much, which the server does after a pause only"
