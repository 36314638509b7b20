"""Faults of the runbook's worker."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ..cues import ActivityCue, Cue
from ..errors import FaultImpossible
from ..stage import Stage
from ._numbers import seconds


@dataclass(frozen=True)
class KillWorker:
    """The worker is killed, and another one is started after a while."""

    down: float
    lost_answer: bool = False

    async def begin(self, stage: Stage, cue: Cue) -> Coroutine[Any, Any, None]:
        """Kill it; the rest starts another."""
        if self.lost_answer and not (isinstance(cue, ActivityCue) and cue.phase == "completes"):
            raise FaultImpossible(
                "an answer is lost when an activity completes", hint="plan it at at.activity_completes(...)"
            )
        await stage.kill_worker()
        return self._back(stage)

    async def _back(self, stage: Stage) -> None:
        await asyncio.sleep(self.down)
        await stage.start_worker()

    def __str__(self) -> str:
        if self.lost_answer:
            return f"its answer is lost: the worker is killed (-9) after the side effect, and down for {self.down:g} s"
        return f"the worker is killed (-9) and down for {self.down:g} s"


@dataclass(frozen=True)
class FreezeWorker:
    """The worker's process does not run for a while."""

    seconds: float

    async def begin(self, stage: Stage, cue: Cue) -> Coroutine[Any, Any, None]:
        """Freeze it; the rest thaws it."""
        worker = stage.worker
        if worker is None:
            raise FaultImpossible("the worker is down")
        await asyncio.to_thread(worker.freeze)
        stage.down("worker", ended="frozen")

        async def thaw() -> None:
            await asyncio.sleep(self.seconds)
            worker.thaw()
            if stage.worker is worker:
                stage.up("worker", stage.settings.module)

        return thaw()

    def __str__(self) -> str:
        return f"the worker is frozen for {self.seconds:g} s"


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
