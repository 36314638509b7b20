"""The expectation that histories replay against the runbook's code."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass

from ..result import Finding, Run


@dataclass(frozen=True)
class Replays:
    """The code agrees with the histories that it has made."""

    def judge(self, run: Run) -> Finding:
        """By replaying every run of the workflow."""
        if not run.histories:
            return Finding(str(self), "unknown", "the server has no history of it")
        failures: list[str] = []
        thread = threading.Thread(target=lambda: failures.extend(asyncio.run(_replay(run))))
        thread.start()  # the rehearsal's own loop is at work
        thread.join()
        if failures:
            return Finding(str(self), "fail", failures[0].splitlines()[0], failures)
        count = sum(len(history.events) for history in run.histories)
        return Finding(str(self), "pass", f"{count} events replay")

    def __str__(self) -> str:
        return "replays clean"


async def _replay(run: Run) -> list[str]:
    from temporalio.worker import Replayer

    from ..runbook import runner

    failures = []
    replayer = Replayer(workflows=list(run.workflows), workflow_runner=runner())
    for history in run.histories:
        result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
        if result.replay_failure is not None:
            failures.append(f"{type(result.replay_failure).__name__}: {result.replay_failure}")
    return failures


def replays() -> Replays:
    """The histories replay against the runbook's code without non-determinism."""
    return Replays()
