"""Runs a rehearsal: checks the scenario, runs its runbook on a server of its own, and judges the run."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ..drills.handover import HandOver
from ..environment.environment import RehearsalEnvironment
from ..environment.fixture import scenario_fixture
from ..environment.worker_forkserver import WorkerForkServer
from ..patient.pool import PatientPool, pool_in
from ..patient.running import running_patient
from ..scenario.plan import any_seed
from ..scenario.preflight import check
from ..scenario.result import Judgement, RehearsalRun, Result, Sweep, verdict_of
from ..scenario.runbook import Runbook
from ..scenario.scenario import Scenario, holds, name_of
from ..scenario.timeline import Mark
from ..scenario.view import RunView
from .implicit_expectations import unjudged
from .legacy_script import ScriptRun, compare
from .observer import RunObserver
from .run_executor import RunExecutor

INTERRUPTED = "it was interrupted before its runbook ended"
PATIENTS = "patients"  # the folder of their clusters
RUNS = "the runbook runs without faults"
LAST = 30  # lines of the worker's log
NOT_STEADY = "the steady state did not hold before the run; the plan was not executed"


@dataclass(frozen=True)
class RehearsalSettings:
    """How rehearsals run.

    `folder` keeps ledgers and logs (None: a temporary folder). `on_mark` is called with each mark of the timeline;
    `on_run` with each run before it begins; `on_interrupt` with what a cancelled rehearsal has so far, once everything
    but its server is stopped. `server` holds keywords of `DevServer.start`. `fork_server` forks the workers (None: each
    environment has its own). `patients` has the clusters of patients, for several rehearsals (None: each rehearsal has
    its own). `observer` watches the run with faults, and decides when it is over.
    """

    folder: Path | None = None
    seed: int = field(default_factory=any_seed)
    on_mark: Callable[[Mark], None] = lambda mark: None
    on_interrupt: Callable[[Result], None] = lambda result: None
    on_run: Callable[[RunExecutor], None] = lambda run: None
    server: dict[str, Any] = field(default_factory=dict)
    fork_server: WorkerForkServer | None = None
    patients: PatientPool | None = None
    observer: RunObserver | None = None


async def rehearse(scenario: Scenario, settings: RehearsalSettings | None = None) -> Result:
    """Run one rehearsal.

    Raises:
        ScenarioInvalid: The scenario does not match the runbook; nothing was started.
        DevServerError: The server or the worker does not start; says why.
    """
    settings = settings or RehearsalSettings()
    runbook = check(scenario)
    with working_folder(settings) as folder:
        async with (
            pool_in(folder / PATIENTS, settings.patients) as patients,
            await RehearsalEnvironment.open(settings.fork_server, **settings.server) as environment,
        ):
            settings = replace(settings, patients=patients)
            return await rehearse_on(environment, scenario, runbook, settings, folder)


async def rehearse_on(
    environment: RehearsalEnvironment, scenario: Scenario, runbook: Runbook, settings: RehearsalSettings, folder: Path
) -> Result:
    """Run one rehearsal in an existing environment."""
    baseline = None
    if scenario.needs_baseline:
        plain = _made(folder / "without-faults")
        async with run_parts(scenario, plain, settings) as parts:
            undisturbed = RunExecutor(scenario, runbook, environment, plain, (), **parts)
            settings.on_run(undisturbed)
            baseline = await undisturbed.run()
        if undisturbed.broken is not None:
            problem = Judgement(RUNS, "fail", undisturbed.broken, [*baseline.stuck, *baseline.worker_log[-LAST:]])
            return result_of(scenario, settings, environment, [problem], baseline)
    dice = random.Random(settings.seed)  # noqa: S311 - not for security
    plan = [replace(step, moment=step.moment.drawn(dice, baseline)) for step in scenario.plan]
    faulty = _made(folder / "with-faults")
    async with run_parts(scenario, faulty, settings) as parts:
        performance = RunExecutor(
            scenario, runbook, environment, faulty, plan, settings.on_mark, observer=settings.observer, **parts
        )
        settings.on_run(performance)
        return await _judged(performance, scenario, environment, settings, folder, baseline)


@contextlib.asynccontextmanager
async def run_parts(scenario: Scenario, folder: Path, settings: RehearsalSettings) -> AsyncIterator[dict[str, Any]]:
    """What a run in `folder` works on: the value of the scenario's fixture, and its patient."""
    async with (
        pool_in(folder / PATIENTS, settings.patients) as patients,
        running_patient(scenario.patient, patients) as patient,
        scenario_fixture(scenario, folder) as fixture,
    ):
        yield {"fixture": fixture, "patient": patient}


async def _judged(
    performance: RunExecutor,
    scenario: Scenario,
    environment: RehearsalEnvironment,
    settings: RehearsalSettings,
    folder: Path,
    baseline: RehearsalRun | None,
) -> Result:
    """Execute the plan between two checks of the steady state, and judge the run."""
    view = RunView(performance.context)
    before = await steady(scenario, view, "before")
    if any(item.verdict == "fail" for item in before):
        return result_of(scenario, settings, environment, before, None, problem=NOT_STEADY)
    async with _next_to_it(scenario, folder / "old-way") as legacy_script:
        try:
            run = replace(await performance.run(), baseline=baseline)
        except asyncio.CancelledError:
            so_far = performance.so_far()
            settings.on_interrupt(result_of(scenario, settings, environment, before, so_far, problem=INTERRUPTED))
            raise
        old = await legacy_script
    after = await steady(scenario, view, "after")
    implicit = unjudged(run, scenario.expect, ends=settings.observer is None)
    compared = compare(run, old) if old else []
    judged = [expectation.judge(run) for expectation in scenario.expect]
    judgements = [*before, *run.judgements, *judged, *implicit, *compared, *after]
    return result_of(scenario, settings, environment, judgements, run)


@contextlib.asynccontextmanager
async def _next_to_it(scenario: Scenario, folder: Path) -> AsyncIterator[asyncio.Task[ScriptRun | None]]:
    """The legacy script, started with the runbook; it is cancelled if the run fails."""

    async def run() -> ScriptRun | None:
        if scenario.legacy_script is None or _is_handed_over(scenario):
            return None
        here = scenario.file.parent if scenario.file else None
        async with scenario_fixture(scenario, _made(folder)):
            return await scenario.legacy_script.run(here, folder / "ledger.jsonl")

    task = asyncio.create_task(run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _is_handed_over(scenario: Scenario) -> bool:
    """Whether a drill runs the scenario's legacy script in the runbook's place."""
    actions = [action for step in scenario.plan for action in step.actions]
    return any(isinstance(action, HandOver) and action.legacy_script is None for action in actions)


async def steady(scenario: Scenario, view: RunView, when: str) -> list[Judgement]:
    """The judgement of each check of the steady state, now."""
    judgements = []
    for item in scenario.steady_state:
        problem = await holds(item, view)
        name = f"{name_of(item)} ({when})"
        judgements.append(Judgement(name, "fail" if problem else "pass", problem or "it holds"))
    return judgements


def result_of(
    scenario: Scenario,
    settings: RehearsalSettings,
    environment: RehearsalEnvironment,
    judgements: Sequence[Judgement],
    run: RehearsalRun | None,
    *,
    problem: str | None = None,
    sweep: Sweep | None = None,
) -> Result:
    """A rehearsal's result; `problem` says why it did not run as planned."""
    verdict, reason = verdict_of(judgements, run.steps if run else ())
    server = environment.server
    return Result(
        name=scenario.name,
        verdict="unknown" if problem else verdict,
        reason=problem or reason,
        judgements=tuple(judgements),
        run=run,
        seed=settings.seed,
        versions={"server": server.server_version, "executable": server.version},
        file=str(scenario.file) if scenario.file else None,
        sweep=sweep,
    )


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextlib.contextmanager
def working_folder(settings: RehearsalSettings) -> Iterator[Path]:
    """The folder of a rehearsal's ledgers and logs."""
    if settings.folder is not None:
        yield _made(settings.folder)
        return
    with TemporaryDirectory(prefix="rehearsal-") as folder:
        yield Path(folder)
