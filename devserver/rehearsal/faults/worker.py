"""Faults of the runbook's worker."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ..environment.run_context import RunContext, WorkerSettings
from ..errors import FaultImpossible, ScenarioInvalid
from ..scenario.events import ActivityTrigger, TriggerEvent
from ..scenario.scenario import Scenario
from ._numbers import and_down, seconds


@dataclass(frozen=True)
class KillWorker:
    """The worker is killed, and another one is started after a while."""

    down: float
    lost_answer: bool = False

    async def begin(self, context: RunContext, trigger: TriggerEvent) -> Coroutine[Any, Any, None]:
        """Kill it; the rest starts another."""
        if self.lost_answer and not (isinstance(trigger, ActivityTrigger) and trigger.phase == "completes"):
            raise FaultImpossible(
                "an answer is lost when an activity completes", hint="plan it at at.activity_completes(...)"
            )
        await context.kill_worker()
        return _back(context, self.down)

    def __str__(self) -> str:
        if self.lost_answer:
            return f"its answer is lost: the worker is killed (-9) after the side effect{and_down(self.down)}"
        return f"the worker is killed (-9){and_down(self.down)}"


@dataclass(frozen=True)
class FreezeWorker:
    """The worker's process does not run for a while."""

    seconds: float

    async def begin(self, context: RunContext, trigger: TriggerEvent) -> Coroutine[Any, Any, None]:
        """Freeze it; the rest thaws it."""
        worker = context.worker
        if worker is None:
            raise FaultImpossible("the worker is already down")
        await asyncio.to_thread(worker.freeze)
        context.down("worker", ended="frozen")

        async def thaw() -> None:
            try:
                await context.lasts(self.seconds)
            finally:
                worker.thaw()
            if context.worker is worker:
                context.up("worker", context.settings.module)

        return thaw()

    def __str__(self) -> str:
        return f"the worker is frozen for {self.seconds:g} s"


@dataclass(frozen=True)
class ReplaceWorker:
    """Another build of the worker takes the place of the one that runs, as a deployment has it."""

    runbook: str | None
    build_id: str | None
    down: float

    def check(self, scenario: Scenario) -> None:
        """See that the other build is there, before anything is started."""
        from ..scenario.runbook import Runbook

        if self.runbook is not None:
            Runbook.load(self.runbook)

    async def begin(self, context: RunContext, trigger: TriggerEvent) -> Coroutine[Any, Any, None]:
        """End the old one, which an activity that waits just now does not survive; the rest starts the new one."""
        await context.kill_worker()
        return self._takes_over(context, context.with_build(self.runbook or context.settings.module, self.build_id))

    async def _takes_over(self, context: RunContext, settings: WorkerSettings) -> None:
        if await context.lasts(self.down):
            raise FaultImpossible("the runbook had ended before the new worker was started")
        await context.start_worker(settings)

    def __str__(self) -> str:
        what = [f"the code of {self.runbook}"] if self.runbook else []
        what += [f"the build id {self.build_id}"] if self.build_id else []
        after = f" after {self.down:g} s" if self.down else ""
        return f"the worker is killed and replaced by one with {' and '.join(what)}{after}"


async def _back(context: RunContext, down: float) -> None:
    if not await context.lasts(down):
        await context.start_worker()


def kill_worker(down: float | timedelta = 0.0) -> KillWorker:
    """The worker is killed (-9), and another one is started `down` seconds later."""
    return KillWorker(seconds(down, "kill_worker(down=...)"))


def lose_answer(down: float | timedelta = 0.0) -> KillWorker:
    """The activity that completes has done all it does, and the server never hears of it.

    The worker is killed (-9) between the side effect and its answer. For `at.activity_completes`.
    """
    return KillWorker(seconds(down, "lose_answer(down=...)"), lost_answer=True)


def freeze_worker(for_: float | timedelta) -> FreezeWorker:
    """The worker's process is frozen (SIGSTOP) for so many seconds."""
    return FreezeWorker(seconds(for_, "freeze_worker"))


def replace_worker(
    runbook: str | None = None, *, build_id: str | None = None, down: float | timedelta = 0.0
) -> ReplaceWorker:
    """The worker is killed, and `down` seconds later one with other code (a module beside the runbook's, or
    importable), another build id, or both takes its place and stays.
    """
    if not (runbook or build_id):
        raise ScenarioInvalid(
            "replace_worker replaces the worker by the same one",
            hint='name another module, faults.replace_worker("runbook_v2"), or a build id; '
            "for a restart there is faults.kill_worker()",
        )
    return ReplaceWorker(runbook, build_id, seconds(down, "replace_worker(down=...)"))
