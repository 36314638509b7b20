"""Every test is also a replay test: what ran is replayed against the code of the workers that ran it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from temporalio.worker import Worker

from devserver.replay import ReplayResult, WorkflowCode, replay

from ..errors import ReplayFailed
from ..workflows.executions import RunHistory

ADVICE = (
    "the same code behaved differently when it ran again on the same history: look for time, randomness, I/O, state "
    "that outlives a run, or an order that is not fixed (sets, threads)"
)


@dataclass(frozen=True)
class WorkerCode:
    """The workflows of one worker.

    `task_queue` is None if it runs workflows of every task queue; `build` is the build id of its deployment, empty
    without one.
    """

    task_queue: str | None
    code: WorkflowCode
    build: str = ""

    def runs(self, run: RunHistory) -> bool:
        """Whether the worker runs such a workflow."""
        other_build = bool(self.build and run.build) and self.build != run.build
        return self.code.has(run.workflow_type) and not other_build and self.task_queue in (None, run.task_queue)


def code_of(worker: Worker) -> WorkerCode:
    """The workflows of a worker."""
    deployment = worker.config().get("deployment_config")
    build = deployment.version.build_id if deployment is not None and deployment.use_worker_versioning else ""
    return WorkerCode(worker.task_queue, WorkflowCode.of_worker(worker), build)


async def replay_all(
    codes: Sequence[WorkerCode], runs: Iterable[RunHistory], *, same_code: bool = False
) -> list[ReplayResult]:
    """Replay each run against the code that may have run it, the newest first, until it replays.

    A run that none of the workers can have run is left out. With `same_code`, inputs of commands are compared too, for
    runs of which only one class can be the code.
    """
    groups: dict[bool, list[RunHistory]] = {True: [], False: []}
    for run in runs:
        groups[same_code and _classes(codes, run) == 1].append(run)
    results = [await _replay(codes, group, same_code=same) for same, group in groups.items()]
    return [result for group in results for result in group]


def _classes(codes: Sequence[WorkerCode], run: RunHistory) -> int:
    """How many classes may have run it."""
    return len({code.code.class_of(run.workflow_type) for code in codes if code.runs(run)})


async def _replay(codes: Sequence[WorkerCode], runs: Iterable[RunHistory], *, same_code: bool) -> list[ReplayResult]:
    pending = list(runs)
    replayed: list[ReplayResult] = []
    failed: dict[str, ReplayResult] = {}
    for code in reversed(codes):
        chosen = [run for run in pending if code.runs(run)]
        results = await replay([run.history for run in chosen], code.code, same_code=same_code)
        for run, result in zip(chosen, results, strict=True):
            if result.divergence is None:
                replayed.append(result)
                pending.remove(run)
                failed.pop(run.run_id, None)
            else:
                failed.setdefault(run.run_id, result)
    return [*replayed, *failed.values()]


def require_replayed(results: Iterable[ReplayResult]) -> None:
    """Check that every history replays.

    Raises:
        ReplayFailed: Some do not; the message has the nearest event and the line of the workflow's code for each.
    """
    failed = [result.divergence for result in results if result.divergence is not None]
    if failed:
        raise ReplayFailed("\n".join([*map(str, failed), ADVICE]))
