"""Runs the rehearsals of one call, one after the other, and stops everything at Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import DevServerError
from ...rehearsal import report
from ...rehearsal.environment.worker_forkserver import WorkerForkServer
from ...rehearsal.journal import Journal
from ...rehearsal.patient.pool import PatientPool
from ...rehearsal.run.runner import PATIENTS, RehearsalSettings, rehearse
from ...rehearsal.scenario.result import Judgement, Result
from ...rehearsal.scenario.timeline import Mark
from ...system.paths import Paths
from ..options.rehearsal import RehearsalRequest, RehearsalTask
from .interruption import Interruption
from .rehearsal_live import LiveProgress, progress_for
from .rehearsal_outcome import RehearsalOutcome, write_so_far
from .rehearsal_progress import RehearsalProgress

if TYPE_CHECKING:
    from ...rehearsal.live import LivePage

MOST_LINES = 20  # of a traceback
KEPT_DATABASE = "temporal.db"
NOTED = ("fault", "drill", "server", "worker", "network", "database", "activity")


def run_rehearsals(
    request: RehearsalRequest, fork_server: WorkerForkServer, live: LivePage | None = None
) -> RehearsalOutcome:
    """Run them, with workers from this fork server; `live` follows them.

    An exception is a bug, or a full state folder: if a server does not start, the verdict is unknown.
    """
    with Journal.of(Paths.default(), request.report, keep=request.keep) as journal:
        outcome = RehearsalOutcome(kept=journal.folder if request.keep else None)
        if live is not None:
            journal.note(live=live.url)
        with progress_for(request) as shown:
            progress = shown if live is None else LiveProgress(shown, live, request.sweep)
            asyncio.run(_Session(request, outcome, journal, progress, fork_server).run())
    return outcome


class _Session:
    def __init__(
        self,
        request: RehearsalRequest,
        outcome: RehearsalOutcome,
        journal: Journal,
        progress: RehearsalProgress,
        fork_server: WorkerForkServer,
    ) -> None:
        self._request = request
        self._outcome = outcome
        self._journal = journal
        self._progress = progress
        self._fork_server = fork_server

    async def run(self) -> None:
        """Run all, until a signal comes."""
        tasks = list(self._request.tasks())
        running = asyncio.create_task(self._all_with_patients(tasks))

        def stop(number: int) -> None:
            self._outcome.interrupted = number
            self._progress.note("interrupted; stopping everything (Ctrl-C again stops at once)")
            running.cancel()

        Interruption(stop, self._progress.stop)
        try:
            await running
        except asyncio.CancelledError:
            if self._outcome.interrupted is None:
                raise
        finally:
            done = len(self._outcome.results)
            self._outcome.not_run = [task.scenario.name for task in tasks[done:]]

    async def _all_with_patients(self, tasks: list[RehearsalTask]) -> None:
        async with PatientPool(self._journal.folder / PATIENTS) as patients:
            await self._all(tasks, patients)

    async def _all(self, tasks: list[RehearsalTask], patients: PatientPool) -> None:
        for task in tasks:
            self._progress.begin(task)
            self._journal.note(scenario=task.scenario.name, seed=task.seed)
            began = time.monotonic()
            take = self._take_from(began)
            try:
                result = await self._one(task, take, patients)
            except DevServerError as error:
                hint = [f"hint: {error.hint}"] if error.hint else []
                result = _not_run(task, error.message, [*error.details, *hint])
            except Exception as error:  # noqa: BLE001 - a user's action or expectation; the others still run
                lines = "".join(traceback.format_exception(error)).splitlines()
                result = _not_run(task, f"{type(error).__name__}: {error}", lines[-MOST_LINES:])
            take(result, **await self._links(result, task))
            if task.number < len(tasks) and write_so_far(self._request, self._outcome, len(tasks) - task.number):
                self._journal.note(written=task.number)

    async def _links(self, result: Result, task: RehearsalTask) -> dict[str, Any]:
        """What the report of a rehearsal leads to: the page of its workflow's trace, and its server if that is kept."""
        links: dict[str, Any] = {}
        if self._request.report is not None:
            from ...rehearsal.report.traces import write_trace

            links["trace"] = await write_trace(result, self._request.report, task.number)
        if self._request.keep and result.run is not None:
            from ...rehearsal.report.again import kept_server

            links["kept_server"] = kept_server(result.run, self._folder(task) / KEPT_DATABASE)
        return links

    def _take_from(self, began: float) -> Callable[..., None]:
        def take(result: Result, **links: Any) -> None:
            self._outcome.results.append({**report.result_data(result), **links})
            if isinstance(self._progress, LiveProgress):
                self._progress.add(self._outcome.results[-1])
            self._outcome.seconds.append(time.monotonic() - began)
            self._progress.end(result)

        return take

    async def _one(self, task: RehearsalTask, interrupted: Callable[[Result], None], patients: PatientPool) -> Result:
        folder = self._folder(task)
        server: dict[str, Any] = {}
        if self._request.keep:
            folder.mkdir()
            server = {"database": folder / KEPT_DATABASE}
        settings = RehearsalSettings(
            folder=folder,
            seed=task.seed,
            on_mark=self._event,
            on_interrupt=interrupted,
            on_run=self._progress.run,
            server=server,
            fork_server=self._fork_server,
            patients=patients,
        )
        if self._request.sweep:
            from ...rehearsal.run.sweep import sweep

            result = await sweep(task.scenario, self._request.sweep, settings, progress=self._progress.swept)  # type: ignore[arg-type]
        else:
            result = await rehearse(task.scenario, settings)
        if self._request.keep:
            _keep_log(result, folder)
        return result

    def _folder(self, task: RehearsalTask) -> Path:
        return self._journal.folder / f"{task.number:04}-{re.sub(r'[^a-zA-Z0-9]+', '-', task.scenario.name)[:40]}"

    def _event(self, mark: Mark) -> None:
        self._progress.event(mark)
        if mark.lane in NOTED:
            self._journal.note(at=round(mark.at, 3), doing=f"{mark.lane}: {mark.what}")


def _keep_log(result: Result, folder: Path) -> None:
    if result.run is not None:
        with contextlib.suppress(OSError):
            (folder / "server.log").write_text("\n".join([*result.run.server_log, ""]))


def _not_run(task: RehearsalTask, reason: str, details: Sequence[str]) -> Result:
    return Result(
        name=task.scenario.name,
        verdict="unknown",
        reason=reason,
        judgements=[Judgement("the rehearsal can run", "unknown", reason, details)],
        run=None,
        seed=task.seed,
        file=str(task.scenario.file) if task.scenario.file else None,
    )
