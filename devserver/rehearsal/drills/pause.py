"""Drills that pause and resume the runbook, and check that nothing starts in between."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Any, ClassVar
from uuid import uuid4

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import PauseWorkflowExecutionRequest, UnpauseWorkflowExecutionRequest

from ...client import PAUSED
from ..environment.run_clock import ClockStop, RunClock
from ..environment.run_context import RunContext
from ..errors import FaultImpossible, ScenarioInvalid
from ..run.downtime import ON_ITS_WAY
from ..scenario.arguments import seconds
from ..scenario.events import TriggerEvent
from ..scenario.result import Judgement
from ..scenario.scenario import Scenario
from .operator import REASON, Operator
from .validation import planned

MINUTE = 60
PAUSE_EVENT = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_PAUSED
UNPAUSE_EVENT = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UNPAUSED
STARTS = {
    EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED: "an activity",
    EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED: "a workflow task",
}


@dataclass(frozen=True)
class Pause:
    """The runbook is paused, for a time or until it is resumed."""

    seconds: float | None
    lane: ClassVar[str] = "drill"

    def check(self, scenario: Scenario) -> None:
        """Check that the pause is shorter than the limit."""
        if self.seconds is not None and self.seconds >= scenario.limit and not scenario.time_skipping:
            raise ScenarioInvalid(
                f"{self}, but the limit of {scenario.name!r} is {scenario.limit:g} s",
                hint="use Scenario(..., time_skipping=True) for long pauses, or raise limit=...",
            )

    async def begin(self, context: RunContext, trigger: TriggerEvent) -> Coroutine[Any, Any, None] | None:
        """Pause the runbook; the rest resumes it."""
        operator = Operator(context)
        request = PauseWorkflowExecutionRequest(
            namespace=operator.namespace, workflow_id=context.workflow_id, reason=REASON, request_id=uuid4().hex
        )
        await operator.call(operator.service.pause_workflow_execution, request)
        if await operator.status() != PAUSED:
            raise FaultImpossible("the server has acknowledged the pause, but the runbook is not paused")
        if self.seconds is not None:
            return self._rest(context, self.seconds)
        context.judgements.append(Judgement(str(self), "pass", "the server reports it as paused"))
        return None

    async def _rest(self, context: RunContext, seconds: float) -> None:
        if context.clock is None or seconds <= PAUSE_SECONDS:
            await context.lasts(seconds)
            context.judgements.append(await judge_resumed(context, str(self)))
            return
        await context.lasts(PAUSE_SECONDS)
        advance = await advance_after_resume(context, context.clock, timedelta(seconds=seconds - PAUSE_SECONDS))
        judgement = await judge_resumed(context, str(self))
        context.judgements.append(replace(judgement, evidence=judgement.evidence + await advanced(context, advance)))

    def __str__(self) -> str:
        return "the runbook is paused" + ("" if self.seconds is None else f" for {_length(self.seconds)}")


@dataclass(frozen=True)
class Resume:
    """The runbook is resumed."""

    lane: ClassVar[str] = "drill"

    def check(self, scenario: Scenario) -> None:
        """Check that the plan pauses the runbook."""
        planned(scenario, self, after=Pause, hint="plan drills.pause() at an earlier moment")

    async def begin(self, context: RunContext, trigger: TriggerEvent) -> None:
        """Resume the runbook."""
        context.judgements.append(await judge_resumed(context, str(self)))

    def __str__(self) -> str:
        return "the runbook is resumed"


async def judge_resumed(context: RunContext, name: str, *, by_hand: bool = False) -> Judgement:
    """Resume the runbook, and judge whether anything started since it was paused. `by_hand`: a person has resumed it.

    Raises:
        FaultImpossible: It is not paused, and nobody was to resume it.
    """
    operator = Operator(context)
    if by_hand:
        return _judged(name, await _started(operator))
    if await operator.status() != PAUSED:
        raise FaultImpossible("the runbook is no longer paused: it has ended or was resumed")
    started = [*await _started(operator), *_elsewhere(context)]
    request = UnpauseWorkflowExecutionRequest(
        namespace=operator.namespace, workflow_id=context.workflow_id, reason=REASON, request_id=uuid4().hex
    )
    try:
        await operator.call(operator.service.unpause_workflow_execution, request)
    except FaultImpossible:
        if await operator.status() == PAUSED:  # else an earlier call has resumed it
            raise
    return _judged(name, started)


def _judged(name: str, started: list[str]) -> Judgement:
    if started:
        return Judgement(name, "fail", f"while it was paused, {started[0]} started", started)
    return Judgement(name, "pass", "nothing started while it was paused")


async def _started(operator: Operator) -> list[str]:
    """What the runbook itself has started from its pause until it was resumed, by the server's clock."""
    events = (await operator.history()).events
    since = [event.event_time.ToDatetime(timezone.utc) for event in events if event.event_type == PAUSE_EVENT][-1]
    ends = [event.event_time.ToDatetime(timezone.utc) for event in events if event.event_type == UNPAUSE_EVENT]
    until = next((end for end in ends if end > since), datetime.max.replace(tzinfo=timezone.utc))
    begun = [
        f"{STARTS[event.event_type]}{_retry(event)}"
        for event in events
        if event.event_type in STARTS and since < event.event_time.ToDatetime(timezone.utc) < until
    ]
    pending = (await operator.describe()).pending_activities
    return begun + [
        f"{item.activity_type.name} (attempt {item.attempt})"
        for item in pending
        if since < _moment(item.last_started_time) < until
    ]


def _retry(event: HistoryEvent) -> str:
    attempt = event.activity_task_started_event_attributes.attempt
    return f" (attempt {attempt}: an attempt that fails during a pause is retried)" if attempt > 1 else ""


def _length(seconds: float) -> str:
    return f"{seconds:g} s" if seconds < MINUTE else str(timedelta(seconds=seconds))


def _moment(stamp: Any) -> datetime:
    return stamp.ToDatetime(timezone.utc) if stamp.seconds else datetime.min.replace(tzinfo=timezone.utc)


def _elsewhere(context: RunContext) -> Iterator[str]:
    """Activities of other workflows, such as child workflows, that have started since the pause."""
    events = [mark for mark in context.timeline.of("event") if mark.what == "WorkflowExecutionPaused"]
    since = max((mark.at for mark in events), default=context.timeline.now()) + ON_ITS_WAY
    for mark in context.timeline.of("activity"):
        if mark.at > since and mark.detail.get("workflow_id") != context.workflow_id:
            yield f"{mark.what} of the workflow {mark.detail.get('workflow_id')} (child workflows are not paused)"


def pause(for_: float | timedelta | None = None) -> Pause:
    """The runbook is paused on the server, for this time or until `resume()`.

    Running attempts of activities may finish. The drill checks that nothing starts during the pause: no workflow task
    and no attempt of an activity, neither of the runbook nor of another workflow on its worker. The server does not
    pause child workflows.

    With `time_skipping` the time is virtual: `pause(for_=timedelta(hours=8))` is a night. Because the server does not
    move the clock of a paused workflow, the pause lasts half a second, and the clock advances by the rest right after
    the resume: a timer that is due in the night fires at its own time, not in the morning.

    Raises:
        ScenarioInvalid: The time is invalid.
    """
    return Pause(None if for_ is None else seconds(for_, "pause(for_=...)"))


def resume() -> Resume:
    """The runbook, paused by `pause()`, is resumed; the drill checks that nothing started in between."""
    return Resume()


PAUSE_SECONDS = 0.5  # seconds of the wall clock in which nothing may start


PLANNED_SECONDS = 2.0


LOOK_SECONDS = 0.02


async def advance_after_resume(context: RunContext, clock: RunClock, length: timedelta) -> ClockStop:
    """Advance the clock as soon as the runbook is resumed; returns when the server knows."""
    stop = await clock.ahead(length)
    operator = Operator(context)
    until = context.timeline.now() + PLANNED_SECONDS
    while context.timeline.now() < until:
        config = (await operator.describe()).workflow_extended_info.time_skipping_info.effective_config
        if config.enabled and config.HasField("fast_forward_config"):
            break
        await asyncio.sleep(LOOK_SECONDS)
    return stop


async def advanced(context: RunContext, stop: ClockStop) -> str:
    """Wait until the clock has advanced; returns a clause for the evidence."""
    ways = [asyncio.create_task(item.wait()) for item in (stop.arrived, context.over)]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
    if stop.arrived.is_set():
        return "; its clock, which stands still during a pause, advanced right after it"
    return "; it ended before its clock had advanced by that much (the clock stands still during a pause)"
