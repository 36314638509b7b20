"""The expectation that histories replay against the runbook's code."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from temporalio.converter import DataConverter
from temporalio.worker import Interceptor, Replayer

from ..scenario.result import Judgement, RehearsalRun
from ..scenario.runbook import runner


@dataclass(frozen=True)
class Replays:
    """The code agrees with the histories that it has made."""

    def judge(self, run: RehearsalRun) -> Judgement:
        """By replaying every run of the workflow."""

        if not run.histories:
            return Judgement(str(self), "unknown", "the server has no history of it")
        failures = replay(run)
        if failures:
            return Judgement(str(self), "fail", failures[0].splitlines()[0], failures)
        count = sum(len(history.events) for history in run.histories)
        return Judgement(str(self), "pass", f"{count} events replay")

    def __str__(self) -> str:
        return "replays clean"


def replays() -> Replays:
    """The histories replay against the runbook's code without non-determinism."""
    return Replays()


def replay(run: RehearsalRun, interceptors: Sequence[Interceptor] = ()) -> list[str]:
    """Replay every history of the run; what failed, one text each."""
    failures: list[str] = []
    thread = threading.Thread(target=lambda: failures.extend(asyncio.run(_replay(run, interceptors))))
    thread.start()  # the rehearsal's own loop is at work
    thread.join()
    return failures


async def _replay(run: RehearsalRun, interceptors: Sequence[Interceptor]) -> list[str]:
    failures = []
    replayer = Replayer(
        workflows=list(run.workflows),
        workflow_runner=runner(),
        interceptors=interceptors,
        data_converter=run.data_converter or DataConverter.default,
    )
    for history in run.histories:
        result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
        if result.replay_failure is not None:
            failures.append(f"{type(result.replay_failure).__name__}: {result.replay_failure}")
    return failures
