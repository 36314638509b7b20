"""The expectation that histories replay with the runbook's code."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from temporalio.converter import DataConverter
from temporalio.worker import Interceptor

from ...replay import ReplayResult, WorkflowCode
from ...replay import replay as replay_histories
from ..scenario.result import Judgement, RehearsalRun
from ..scenario.runbook import runner


@dataclass(frozen=True)
class Replays:
    """The histories replay with the code that made them."""

    def judge(self, run: RehearsalRun) -> Judgement:
        """Judge by replaying every run of the workflow."""
        if not run.histories:
            return Judgement(str(self), "unknown", "the server has no history of the runbook")
        failures = replay(run)
        if failures:
            return Judgement(str(self), "fail", failures[0].splitlines()[0], failures)
        count = sum(len(history.events) for history in run.histories)
        return Judgement(str(self), "pass", f"{count} events replay")

    def __str__(self) -> str:
        return "replays"


def replays() -> Replays:
    """The histories replay with the runbook's code, without a non-determinism error."""
    return Replays()


def replay(run: RehearsalRun, interceptors: Sequence[Interceptor] = ()) -> list[str]:
    """Replay every history of the run; an explanation of each that does not replay."""
    code = WorkflowCode.of_classes(
        run.workflows,
        workflow_runner=runner(),
        interceptors=interceptors,
        data_converter=run.data_converter or DataConverter.default,
    )
    results: list[ReplayResult] = []

    def replay_in_thread() -> None:
        results.extend(asyncio.run(replay_histories(run.histories, code)))

    thread = threading.Thread(target=replay_in_thread)
    thread.start()  # the rehearsal's own event loop is running
    thread.join()
    return [str(result.divergence) for result in results if result.divergence is not None]
