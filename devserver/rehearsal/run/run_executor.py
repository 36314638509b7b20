"""Executes one run of a runbook: starts it, follows it, executes the plan, and records the result."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

from temporalio.api.history.v1 import HistoryEvent

from ...history import close_status, event_name
from .. import ledger
from ..environment.asyncio_compat import within
from ..environment.environment import RehearsalEnvironment
from ..environment.history_watcher import HistoryWatcher
from ..environment.run_clock import RunClock
from ..environment.run_context import RunContext
from ..patient.patient import Patient
from ..patient.record import PatientRecord
from ..scenario.moments import VirtualMoment
from ..scenario.plan import PlanStep
from ..scenario.result import RehearsalRun
from ..scenario.runbook import Runbook, workflow_type
from ..scenario.scenario import Scenario
from ..scenario.timeline import Mark, Timeline
from .observer import RunObserver
from .process_watch import ProcessWatch
from .run_end import RunEnd, read_end
from .step_executor import StepExecutor

TASK_SECONDS = 2.0


class RunExecutor:
    """Executes one run of a scenario's runbook with a plan."""

    def __init__(
        self,
        scenario: Scenario,
        runbook: Runbook,
        environment: RehearsalEnvironment,
        folder: Path,
        plan: Sequence[PlanStep],
        on_mark: Callable[[Mark], None] = lambda mark: None,
        fixture: Any = None,
        patient: Patient | None = None,
        observer: RunObserver | None = None,
    ) -> None:
        self._scenario = scenario
        self._runbook = runbook
        self._timeline = Timeline(on_mark)
        self._observer = observer
        self._workflow_id = f"{'rehearsal' if observer is None else observer.prefix}-{uuid.uuid4().hex[:8]}"
        self.context = RunContext(scenario, environment, folder, self._timeline, self._workflow_id)
        self.context.fixture = fixture
        self.context.patient = patient
        self._executor = StepExecutor(self.context, plan)
        self.context.set_answer(self._executor.answer)
        self.context.start_runbook = self._start
        if scenario.time_skipping:
            stops = [step.moment.after for step in plan if isinstance(step.moment, VirtualMoment)]
            self.context.clock = RunClock(self.context.client, self._workflow_id, stops)
        self._processes = ProcessWatch(self.context, self._executor.log)
        self.broken: str | None = None  # why the runbook's code cannot continue
        self._alone = not plan and observer is None  # no planned step and no person can change the outcome
        self._started = 0.0
        self._closed: float | None = None
        self._patient: PatientRecord | None = None

    async def run(self) -> RehearsalRun:
        """Run the runbook to its end, or to the scenario's limit.

        Raises:
            WorkerFailed: The worker does not start.
        """
        context = self.context
        context.up("server")
        try:
            return await self._run()
        finally:
            await self._executor.abandon()
            context.restore()
            if context.clock is not None:
                context.clock.close()
            if context.worker is not None:
                await context.kill_worker()
            context.down("server")

    async def _run(self) -> RehearsalRun:
        context = self.context
        if context.patient is not None:
            await context.patient.begin(self._timeline, self._executor.log)
        await context.start_worker()
        logs = asyncio.create_task(self._processes.read_log())
        self._started = self._timeline.now()
        watch = HistoryWatcher(
            context.client,
            self._workflow_id,
            await self._start(),
            lambda: self._executor.idle,
            endless=self._observer is not None,
        )
        self._executor.begin()
        if self._observer is not None:
            await self._observer.begin(self.context, self._executor)
        following = asyncio.create_task(self._follow(watch))
        late = await self._wait(following)
        ended = None if watch.status == "running" else self._closed or self._timeline.now()
        if late or (ended is None and self._observer is None):
            self._timeline.note("check", f"the limit of {self._scenario.limit:g} s has passed", limit=True)
        if self._observer is not None:
            await self._observer.end(late=late)
        await self._executor.settle()
        await self._processes.check_server()
        early = self._observer is not None and not late
        limit = "it was still running then" if early else f"it did not end within {self._scenario.limit:g} s"
        unfinished = self.broken or limit
        end = await read_end(context, watch, unfinished)
        if context.patient is not None:
            self._patient = await context.patient.end(self._timeline.began.timestamp())
        run = self._record(ended, end)
        logs.cancel()
        await context.end_worker()
        return run

    async def _wait(self, following: asyncio.Task[None]) -> bool:
        """Wait until the run is over; whether its limit has passed."""
        over = following if self._observer is None else asyncio.create_task(self._observer.until_over())
        try:
            await within(self._scenario.limit, over)
        except asyncio.TimeoutError:
            return True
        finally:
            if not following.done():
                following.cancel()
            if over is not following:
                over.cancel()
                await asyncio.gather(over, following, return_exceptions=True)
        if not following.cancelled():
            following.result()
        return False

    async def _start(self) -> str:
        clock = self.context.clock
        client = self.context.client if clock is None else clock.client
        handle = await client.start_workflow(
            workflow_type(self._runbook.workflow(self._scenario.workflow)),
            args=self._scenario.arguments,
            id=self._workflow_id,
            task_queue=self.context.task_queue,
            task_timeout=timedelta(seconds=TASK_SECONDS),
        )
        if clock is not None:
            clock.started()
        return str(handle.first_execution_run_id)

    async def _follow(self, watch: HistoryWatcher) -> None:
        async def on_event(event: HistoryEvent) -> None:
            kind = event_name(event.event_type)
            at = min(self._timeline.now(), self._timeline.seconds(event.event_time.ToDatetime(timezone.utc)))
            self._timeline.note("event", kind, at=at, id=event.event_id, run=watch.run_ids[-1])
            activity_id = event.activity_task_scheduled_event_attributes.activity_id
            if self._observer is not None:
                self._closed = None if close_status(event) is None else at
                self._observer.on_event(event, at)
            first_run = len(watch.run_ids) == 1
            await self._executor.event(kind, event.event_id, first_run=first_run, activity_id=activity_id)

            failed = event.workflow_task_failed_event_attributes
            if self._alone and failed.failure.message:  # without a message, the server itself has ended the task
                self.broken = f"its workflow task fails: {failed.failure.message}"
                raise _Broken

        watching = asyncio.create_task(watch.follow(on_event))
        dying = asyncio.create_task(self._processes.until_worker_dies())
        try:
            ends = [watching] if self._observer else [watching, dying]  # a person may start another worker
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if watching.done():
                with contextlib.suppress(_Broken):
                    await watching
        finally:
            for task in (watching, dying):
                task.cancel()
            await asyncio.gather(watching, dying, return_exceptions=True)

    def so_far(self) -> RehearsalRun:
        """The record of a cancelled run, after `run` has returned; the server is not called."""
        return self._record(None, RunEnd("running", failure="it was interrupted"))

    @property
    def undisturbed(self) -> bool:
        """Whether nothing is done to the runbook."""
        return self._alone

    def present(self) -> RehearsalRun:
        """The record of a run that has not ended, until now. Any thread may call it; the server is not called."""
        return replace(self._record(None, RunEnd("running")), seen_until=self._timeline.now())

    def _record(self, ended: float | None, end: RunEnd) -> RehearsalRun:
        context = self.context
        effects = ledger.read(context.ledger)
        began = self._timeline.began.timestamp()
        happened = [
            Mark(effect.at - began, "effect", _shown(effect), None, {"attempt": effect.attempt}) for effect in effects
        ]
        return RehearsalRun(
            workflow_id=self._workflow_id,
            began=self._timeline.began,
            started=self._started,
            ended=ended,
            status=end.status,
            output=end.output,
            failure=end.failure,
            histories=end.histories,
            marks=tuple(sorted([*self._timeline.marks, *happened], key=lambda mark: mark.at)),
            effects=effects,
            steps=self._executor.steps,
            judgements=[*context.judgements, *self._processes.judgements()],
            server_log=list(self._processes.server_log),
            worker_log=self._processes.worker_log(),
            stuck=end.stuck,
            workflows=self._runbook.workflows,
            data_converter=context.client.data_converter,
            patient=self._patient,
        )


def _shown(effect: ledger.Effect) -> str:
    return f"{effect.name} {effect.key}".strip()


class _Broken(Exception):
    """The runbook's own code fails again and again."""
