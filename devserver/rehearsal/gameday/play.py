"""Plays a game day: its server, its cluster, the runbook, and a person who asks through the control socket."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any

from ...cluster import Cluster
from ...system.command_log import read_commands
from ...system.files import write_private
from ...system.paths import Paths
from ..environment.environment import RehearsalEnvironment
from ..environment.worker_forkserver import WorkerForkServer
from ..patient.pool import PatientPool
from ..run.runner import PATIENTS, RehearsalSettings, rehearse_on
from ..scenario.preflight import check
from ..scenario.result import Result
from .control import answering
from .debrief import debrief_data
from .declaration import GameDay
from .notes import GameDayNote
from .record import GameDayFolder, GameDayRecord
from .session import GameDaySession


@dataclass(frozen=True)
class GameDayRequest:
    """What to play.

    Attributes:
        day: The game day.
        name: The name of its server and of its cluster.
        seed: What chooses the incident and its random times.
        limit: Seconds of the wall clock; None: those of the scenario.
        facilitated: Whether there is a page for a facilitator.
        fork_server: What forks the workers.
    """

    day: GameDay
    name: str
    seed: int
    limit: float | None = None
    facilitated: bool = False
    fork_server: WorkerForkServer | None = None


@dataclass(frozen=True)
class GameDayBriefing:
    """What the person may know at the start."""

    name: str
    title: str
    briefing: str
    limit: float
    address: str
    ui_url: str | None
    workflow_id: str
    workflow: str
    cluster: bool
    actions: tuple[tuple[str, str], ...]
    hints: int
    hint_seconds: float
    page: str | None = None


class GameDayPlay:
    """One game day, from its start to its debrief.

    Args:
        request: What to play.
        on_started: Called when the person can begin.
        on_note: Called with each note.
        on_killed: Called if one of this name was killed before, and what it left was removed.
    """

    def __init__(
        self,
        request: GameDayRequest,
        *,
        on_started: Callable[[GameDayBriefing], None] = lambda briefing: None,
        on_note: Callable[[GameDayNote], None] = lambda note: None,
        on_killed: Callable[[], None] = lambda: None,
    ) -> None:
        self._request = request
        self._on_started = on_started
        self._on_killed = on_killed
        incident, scenario = request.day.drawn(request.seed)
        self._scenario = replace(scenario, limit=request.limit or scenario.limit)
        day = replace(request.day, scenario=self._scenario)
        self.session = GameDaySession(day, incident, facilitated=request.facilitated, on_note=on_note)
        self._so_far: Result | None = None

    async def run(self) -> dict[str, Any]:
        """Play it; the debrief as plain data.

        Raises:
            GameDayRunning: One of this name runs already.
            DevServerError: The server, the cluster or the worker does not start; says why.
        """
        request = self._request
        runbook = check(self._scenario)
        folder = GameDayFolder(Paths.default(), request.name)
        cluster = isinstance(self._scenario.patient, Cluster)
        began = datetime.now(timezone.utc).isoformat(timespec="seconds")
        record = GameDayRecord(request.name, request.day.name, began, os.getpid(), cluster)
        with folder.opened(record) as killed:
            if killed:
                self._on_killed()
            write_private(folder.commands, "")
            async with (
                PatientPool(folder.work / PATIENTS, request.name) as patients,
                await RehearsalEnvironment.open(
                    request.fork_server, name=request.name, ui=True, ephemeral=True, port=0
                ) as environment,
                answering(folder, self.session),
                self._facilitator(environment) as page,
            ):
                settings = RehearsalSettings(
                    folder=folder.work,
                    seed=request.seed,
                    on_interrupt=self._interrupted,
                    patients=patients,
                    observer=self.session,
                )
                telling = asyncio.create_task(self._tell(environment, page))
                try:
                    result = await rehearse_on(environment, self._scenario, runbook, settings, folder.work)
                except asyncio.CancelledError:
                    if self._so_far is None:
                        raise
                    result = self._so_far
                finally:
                    telling.cancel()
                    await asyncio.gather(telling, return_exceptions=True)
                return debrief_data(self.session, result, read_commands(folder.commands))

    def interrupt(self) -> bool:
        """End it early; whether that is possible already."""
        if not self.session.has_started:
            return False
        self.session.finish("interrupted")
        return True

    def _interrupted(self, result: Result) -> None:
        self._so_far = result

    async def _tell(self, environment: RehearsalEnvironment, page: str | None) -> None:
        context = await self.session.started()
        day = self.session.day
        self._on_started(
            GameDayBriefing(
                name=self._request.name,
                title=day.name,
                briefing=day.briefing,
                limit=self._scenario.limit,
                address=environment.server.address,
                ui_url=environment.server.ui_url,
                workflow_id=context.workflow_id,
                workflow=str(getattr(self._scenario.workflow, "__name__", self._scenario.workflow)),
                cluster=context.patient is not None,
                actions=tuple((action.name, action.what) for action in day.actions),
                hints=len(self.session.incident.hints),
                hint_seconds=day.hint_seconds,
                page=page,
            )
        )

    @contextlib.asynccontextmanager
    async def _facilitator(self, environment: RehearsalEnvironment) -> AsyncIterator[str | None]:
        """The facilitator's page, if it was asked for; its URL."""
        if not self._request.facilitated:
            yield None
            return
        from .facilitator import FacilitatorPage

        page = FacilitatorPage(self.session, asyncio.get_running_loop(), environment.server.ui_url)
        await asyncio.to_thread(page.__enter__)
        try:
            yield page.url
        finally:
            await asyncio.to_thread(page.__exit__, None, None, None)
