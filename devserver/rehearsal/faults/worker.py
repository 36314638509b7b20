"""Faults of the runbook's worker."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ..environment.run_context import RunContext, WorkerSettings
from ..errors import FaultImpossible, ScenarioInvalid
from ..scenario.arguments import and_down, seconds
from ..scenario.events import ActivityTrigger, TriggerEvent
from ..scenario.scenario import Scenario


@dataclass(frozen=True)
class KillWorker:
    """The worker is killed, and another one is started later."""

    down: float
    lost_answer: bool = False

    async def begin(self, context: RunContext, trigger: TriggerEvent) -> Coroutine[Any, Any, None]:
        """Kill the worker; the rest starts another one."""
        if self.lost_answer and not (isinstance(trigger, ActivityTrigger) and trigger.phase == "completes"):
            raise FaultImpossible(
                "a result can be lost only when an activity completes", hint="plan it with at.activity_completes(...)"
            )
        await context.kill_worker()
        return _back(context, self.down)

    async def start(self, context: RunContext) -> None:
        """Start a worker where the last one has ended by itself."""
        await context.start_worker()

    def __str__(self) -> str:
        if self.lost_answer:
            return f"the result is lost: the worker is killed (-9) after the side effect{and_down(self.down)}"
        return f"the worker is killed (-9){and_down(self.down)}"


@dataclass(frozen=True)
class FreezeWorker:
    """The worker's process is suspended."""

    seconds: float

    async def begin(self, context: RunContext, trigger: TriggerEvent) -> Coroutine[Any, Any, None]:
        """Freeze the process; the rest thaws it."""
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
    """Another build of the worker replaces the running one, as in a deployment."""

    runbook: str | None
    build_id: str | None
    down: float

    def check(self, scenario: Scenario) -> None:
        """Check that the other build can be imported, before anything is started."""
        from ..scenario.runbook import Runbook

        if self.runbook is not None:
            Runbook.load(self.runbook)

    async def begin(self, context: RunContext, trigger: TriggerEvent) -> Coroutine[Any, Any, None]:
        """Kill the old worker (and any activity that waits now); the rest starts the new one."""
        await context.kill_worker()
        return self._takes_over(context, context.with_build(self.runbook or context.settings.module, self.build_id))

    async def start(self, context: RunContext) -> None:
        """Start this build where the last worker has ended by itself."""
        await context.start_worker(context.with_build(self.runbook or context.settings.module, self.build_id))

    async def _takes_over(self, context: RunContext, settings: WorkerSettings) -> None:
        if await context.lasts(self.down):
            raise FaultImpossible("the runbook ended before the new worker was started")
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
    """The completing activity has done its work, but the server never learns of it.

    The worker is killed (-9) between the side effect and its answer. For `at.activity_completes`.
    """
    return KillWorker(seconds(down, "lose_answer(down=...)"), lost_answer=True)


def freeze_worker(for_: float | timedelta) -> FreezeWorker:
    """The worker's process is frozen (SIGSTOP) for this time."""
    return FreezeWorker(seconds(for_, "freeze_worker"))


def replace_worker(
    runbook: str | None = None, *, build_id: str | None = None, down: float | timedelta = 0.0
) -> ReplaceWorker:
    """The worker is killed and replaced `down` seconds later by one with other code, another build id, or both.

    `runbook` is a module next to the runbook's or importable. The new worker stays.
    """
    if not (runbook or build_id):
        raise ScenarioInvalid(
            "replace_worker needs another module or build id",
            hint='use faults.replace_worker("runbook_v2"), or faults.kill_worker() for a restart',
        )
    return ReplaceWorker(runbook, build_id, seconds(down, "replace_worker(down=...)"))
