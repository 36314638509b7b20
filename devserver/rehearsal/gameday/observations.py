"""What the tools show at a moment of a game day: blocked workflows, failures, the members of the cluster."""

from __future__ import annotations

import asyncio

from ...errors import DevServerError
from ...stuck.detector import find_stuck
from ..environment.asyncio_compat import within
from ..environment.run_context import RunContext
from ..patient.patient import UP, Patient
from .notes import CHANGE, Observation

CALL_SECONDS = 3.0
LAST_SECONDS = 5.0  # of the workload
MOST_FINDINGS = 10
MOST = 300


class Observations:
    """Looks from time to time, and keeps what has changed."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self.found: list[Observation] = []
        self._looking = asyncio.Lock()
        self._keys: tuple[tuple[str, ...], ...] = ()  # of what is stuck, without numbers of attempts
        self._state: tuple[object, ...] = ((), ())

    async def look(self, why: str = "") -> None:
        """Look now. Without a `why`, only what has changed since the last look is kept."""
        async with self._looking:
            at = self._context.timeline.now()
            stuck = await self._stuck()
            patient = self._context.patient
            seen = Observation(at, stuck, self._failures(), patient_lines(self._context, patient) if patient else ())
            state = (self._keys, _members(seen))
            changed, self._state = state != self._state, state
            if len(self.found) < MOST and (why or changed):
                self.found.append(Observation(seen.at, seen.stuck, seen.failures, seen.cluster, why or CHANGE))

    async def _stuck(self) -> tuple[str, ...]:
        try:
            report = await within(CALL_SECONDS, find_stuck(self._context.client))
        except (DevServerError, asyncio.TimeoutError):
            self._keys = (("no answer",),)
            return ("the server does not answer",)
        self._keys = tuple(finding.key for finding in report.findings)
        return tuple(f"{finding.kind}: {finding.what}" for finding in report.findings[:MOST_FINDINGS])

    def _failures(self) -> dict[str, int]:
        timeline = self._context.timeline
        return {
            "activities": sum(mark.detail.get("ended") == "fails" for mark in timeline.of("activity")),
            "workflow_tasks": sum(mark.what == "WorkflowTaskFailed" for mark in timeline.of("event")),
        }


def patient_lines(context: RunContext, patient: Patient) -> tuple[str, ...]:
    """The members that do not run, then what became of the starts of the last seconds."""
    now = context.timeline.now()
    down = [f"{name} {state}" for name, state in patient.states().items() if state != UP]
    calls = [
        call
        for call in patient.record(context.timeline.began.timestamp()).calls
        if now - 1 - LAST_SECONDS < call.at < now - 1
    ]
    acknowledged = sum(call.acknowledged is not None for call in calls)
    ran = sum(call.completed is not None for call in calls)
    return (*down, f"{len(calls)} workflows started, {acknowledged} acknowledged, {ran} ran") if calls else tuple(down)


def patient_is_well(context: RunContext, patient: Patient, since: float) -> bool:
    """Whether every member runs, and every workflow of the last seconds, all of them begun after `since`, ran."""
    if any(state != UP for state in patient.states().values()):
        return False
    now = context.timeline.now()
    calls = [
        call
        for call in patient.record(context.timeline.began.timestamp()).calls
        if max(since, now - 1 - LAST_SECONDS) < call.at < now - 1
    ]
    return len(calls) > 1 and all(call.completed is not None for call in calls)


def _members(seen: Observation) -> tuple[str, ...]:
    return tuple(line for line in seen.cluster if " acknowledged, " not in line)
