"""Sweeps: a run without faults, then one run for each point of its history, with a kill right there."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .. import faults
from ..environment.environment import RehearsalEnvironment
from ..environment.run_context import RunContext
from ..environment.worker_forkserver import WorkerForkServer
from ..errors import ScenarioInvalid
from ..faults.server import KillServer
from ..patient.pool import pool_in
from ..scenario.events import TriggerEvent
from ..scenario.preflight import check
from ..scenario.result import (
    NOTHING_EXPECTED,
    Judgement,
    PointResult,
    RehearsalRun,
    Result,
    Sweep,
    Target,
    verdict_of,
)
from ..scenario.runbook import Runbook
from ..scenario.scenario import Scenario
from ..scenario.view import RunView
from .implicit_expectations import unjudged
from .run_executor import RunExecutor
from .runner import PATIENTS, RehearsalSettings, result_of, run_parts, steady, working_folder
from .sweep_judgement import judgement_of
from .sweep_points import SweepPoint, last_event, points_of_run

# Latency of the worker's messages, so that a kill right after an event comes before the next event.
LATENCY_SECONDS = 0.004
CORES = os.cpu_count() or 1
CORES_OF_A_PATIENT = 2


@dataclass(frozen=True)
class SweepProgress:
    """The progress of a sweep in points, and an estimate of the seconds left (None: unknown).

    `points` has each point in the order of the history, with its state: `open`, `running`, or its verdict.
    """

    done: int
    total: int
    failed: int
    seconds_left: float | None
    points: Sequence[tuple[str, str]] = ()


async def sweep(
    scenario: Scenario,
    target: Target,
    settings: RehearsalSettings | None = None,
    *,
    lanes: int | None = None,
    progress: Callable[[SweepProgress], None] = lambda progress: None,
) -> Result:
    """Sweep a scenario's runbook. Of its plan only faults of the patient are executed, in every run: they are what the
    runbook is for. Expectations and steady state are judged at each point.

    `lanes` points run at a time, each on a server of its own; None: one per processor, or per two with a patient.

    Raises:
        ScenarioInvalid: The scenario does not match the runbook, or expects nothing.
        DevServerError: The server or the worker does not start; says why.
    """
    settings = settings or RehearsalSettings()
    runbook = check(scenario)
    if not scenario.expect and not scenario.steady_state:
        raise ScenarioInvalid(NOTHING_EXPECTED)
    with working_folder(settings) as folder:
        async with (
            pool_in(folder / PATIENTS, settings.patients) as patients,
            _fork_server(settings) as fork_server,
            await RehearsalEnvironment.open(fork_server, **settings.server) as environment,
        ):
            settings = replace(settings, patients=patients)
            sweeper = _Sweeper(scenario, runbook, target, folder, progress, settings)
            await sweeper.plain_run(environment)
            usual = CORES if scenario.patient is None else max(1, CORES // CORES_OF_A_PATIENT)
            others = [
                asyncio.create_task(sweeper.lane_of_its_own(fork_server, settings)) for _ in range(1, lanes or usual)
            ]
            try:
                await sweeper.lane(environment)
                await asyncio.gather(*others)
            finally:
                for other in others:
                    other.cancel()
                await asyncio.gather(*others, return_exceptions=True)
            swept = sweeper.swept()
            return result_of(scenario, settings, environment, [judgement_of(swept)], None, sweep=swept)


@contextlib.asynccontextmanager
async def _fork_server(settings: RehearsalSettings) -> AsyncIterator[WorkerForkServer]:
    """The fork server of the settings, or one for all lanes."""
    if settings.fork_server is not None:
        yield settings.fork_server
        return
    async with WorkerForkServer() as fork_server:
        yield fork_server


def _of_patient(action: object) -> bool:
    return bool(getattr(action, "of_patient", False))


class _KillServerAtOnce(KillServer):
    """Cuts the network before it kills the server, because that is faster: the worker receives nothing in between."""

    async def begin(self, context: RunContext, trigger: TriggerEvent) -> Coroutine[Any, Any, None]:
        """Cut and kill; the rest restores both."""
        cut = context.outages.network.cut()
        try:
            return await super().begin(context, trigger)
        finally:
            cut.restore()


class _Sweeper:
    def __init__(
        self,
        scenario: Scenario,
        runbook: Runbook,
        target: Target,
        folder: Path,
        progress: Callable[[SweepProgress], None],
        settings: RehearsalSettings,
    ) -> None:
        self._settings = settings
        self._scenario = scenario
        self._runbook = runbook
        self._target: Target = target
        self._outages = [step for step in scenario.plan if all(map(_of_patient, step.actions))]
        self._folder = folder
        self._progress = progress
        self._open: list[SweepPoint] = []
        self._states: list[tuple[SweepPoint, str]] = []
        self._points: list[PointResult] = []
        self._omitted: list[str] = []
        self._unsure: set[str] = set()  # unknown without faults
        self._sure: set[str] = set()  # judged at some point

    async def plain_run(self, environment: RehearsalEnvironment) -> None:
        """The run without faults: its events are the points."""
        plain = await self._perform(environment, "without-faults", self._outages, self._settings.on_run)
        self._plain = replace(plain, baseline=plain)
        own = [item.name for item in self._own(plain) if item.verdict != "pass"]
        judgements = [(expectation, expectation.judge(self._plain)) for expectation in self._scenario.expect]
        self._judges = [each for each, judgement in judgements if judgement.verdict != "fail"]
        self._unsure = {str(each) for each, judgement in judgements if judgement.verdict == "unknown"}
        self._omitted = [*own, *(str(each) for each, judgement in judgements if judgement.verdict == "fail")]
        ended = plain.status != "running"  # otherwise each point would run to the limit and prove nothing
        self._open = points_of_run(plain) if ended and (self._judges or self._scenario.steady_state) else []
        self._total = len(self._open)
        self._states = [(point, "open") for point in self._open]
        self._began = asyncio.get_running_loop().time()
        self._tell()

    async def lane_of_its_own(self, fork_server: WorkerForkServer, settings: RehearsalSettings) -> None:
        """Try points on another server."""
        async with await RehearsalEnvironment.open(fork_server, **settings.server) as environment:
            await self.lane(environment)

    async def lane(self, environment: RehearsalEnvironment) -> None:
        """Try points until none is left."""
        environment.outages.network.set_usual_latency(LATENCY_SECONDS, "to_server")
        while self._open:
            point = self._open.pop(0)
            self._set_state(point, "running")
            self._tell()
            result = await self._point(environment, point)
            self._points.append(result)
            self._set_state(point, result.verdict)
            self._tell()

    def _set_state(self, point: SweepPoint, state: str) -> None:
        self._states = [(item, state if item is point else known) for item, known in self._states]

    async def _point(self, environment: RehearsalEnvironment, planned: SweepPoint) -> PointResult:
        loop = asyncio.get_running_loop()
        began = loop.time()
        kill: Any = _KillServerAtOnce(0.0) if self._target == "server" else faults.kill_worker()
        run = await self._perform(environment, planned.folder, (*self._outages, planned.moment.do(kill)))
        run = replace(run, baseline=self._plain)
        own = [item for item in self._own(run) if item.name not in self._omitted]
        judgements: list[Judgement] = [*own, *self._judged(run)]
        verdict, reason = verdict_of(judgements, run.steps)
        last = None if self._scenario.time_skipping else last_event(run, self._target)
        evidence = None if verdict == "pass" else run
        return PointResult(planned.event, planned.what, verdict, reason, last, loop.time() - began, evidence)

    def _judged(self, run: RehearsalRun) -> list[Judgement]:
        """The judgements of the expectations at a point; those unknown without faults may stay unknown."""
        judgements = []
        for judge in self._judges:
            judgement = judge.judge(run)
            if judgement.verdict != "unknown":
                self._sure.add(str(judge))
            elif str(judge) in self._unsure:
                continue
            judgements.append(judgement)
        return judgements

    def _own(self, run: RehearsalRun) -> list[Judgement]:
        """The judgements of a run itself: steady state, and an end that no expectation judges."""
        return [*run.judgements, *unjudged(run, self._scenario.expect)]

    async def _perform(
        self,
        environment: RehearsalEnvironment,
        name: str,
        plan: Sequence[Any],
        on_run: Callable[[RunExecutor], None] = lambda run: None,
    ) -> RehearsalRun:
        folder = self._folder / name
        folder.mkdir(parents=True, exist_ok=True)
        async with run_parts(self._scenario, folder, self._settings) as parts:
            performance = RunExecutor(self._scenario, self._runbook, environment, folder, plan, **parts)
            view = RunView(performance.context)
            before = await steady(self._scenario, view, "before")
            on_run(performance)
            run = await performance.run()
            return replace(run, judgements=[*before, *run.judgements, *await steady(self._scenario, view, "after")])

    def _tell(self) -> None:
        done = len(self._points)
        took = asyncio.get_running_loop().time() - self._began
        left = took / done * (self._total - done) if done else None
        failed = sum(point.verdict != "pass" for point in self._points)
        points = [(f"event {point.event}, {point.what}", state) for point, state in self._states]
        self._progress(SweepProgress(done, self._total, failed, left, points))

    def swept(self) -> Sweep:
        """All points, by event."""
        points = sorted(self._points, key=lambda point: point.event)  # stable: a start comes before its completion
        never = sorted(self._unsure - self._sure)
        return Sweep(self._target, self._plain, tuple(points), (*self._omitted, *never))
