"""Checks whether a build can take over open workflows, or recorded ones, by replaying their histories against it."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path

from temporalio.api.enums.v1 import EventType, VersioningBehavior
from temporalio.client import Client

from devserver.replay import replay

from ..errors import ReplayFailed, SetupError
from ..replay import fixture
from ..replay.worker_code import WorkerCode, code_of
from ..workers.background_loop import BackgroundLoop
from ..workers.running_worker import RunningWorker
from ..workflows import executions
from ..workflows.executions import RunHistory

PINNED = VersioningBehavior.VERSIONING_BEHAVIOR_PINNED
CLOSE_EVENTS = frozenset(
    {
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
    }
)
ADVICE = (
    "the new code does not match the histories of these workflows: keep the old behavior for them with "
    "workflow.patched(), or pin them to the build that they started on"
)


async def check_open(
    build: str,
    workers: Sequence[RunningWorker],
    client: Client,
    started: Iterable[tuple[str, str | None]],
    *,
    pinned: bool,
) -> list[str]:
    """Replay the open workflows of the test against a build; with `pinned`, also the pinned ones. Returns their ids.

    Raises:
        ReplayFailed: Some do not replay, or the build has no code for them.
        SetupError: No workflow is open.
    """
    runs = await executions.find(client, started)
    open_runs = [run for run in runs if run.history.events[-1].event_type not in CLOSE_EVENTS]
    chosen = [run for run in open_runs if pinned or not _is_pinned(run)]
    if not chosen:
        skipped = f"; {len(open_runs)} are pinned to a build, use pinned=True to replay them too" if open_runs else ""
        raise SetupError(f"there is no open workflow that the build {build} could take over{skipped}")
    found = await asyncio.to_thread(lambda: [code_of(worker.worker) for worker in workers])
    codes = [dataclasses.replace(code, build="") for code in found]  # as if the workflows were on this build
    problems = []
    for run in chosen:
        code = next((code for code in codes if code.runs(run)), None)
        if code is None:
            problems.append(_no_code(run, codes))
            continue
        results = await replay([run.history], code.code)
        problems += [str(result.divergence) for result in results if result.divergence is not None]
    if problems:
        head = f"the build {build} cannot take over {len(problems)} of {len(chosen)} open workflows:"
        raise ReplayFailed("\n".join([head, *problems, ADVICE]))
    return [run.id for run in chosen]


def check_files(
    build: str, workers: Sequence[RunningWorker], root: Path, folder: Path, loop: BackgroundLoop
) -> list[str]:
    """Replay recorded histories against a build. Returns the files.

    Raises:
        ReplayFailed: Some do not replay.
        SetupError: There are none, one cannot be read, or the build has no code for it.
    """
    paths = fixture.files_of(root / folder)
    codes = [code_of(worker.worker).code for worker in workers]
    workflows = [workflow for code in codes for workflow in code.workflows.values()]
    try:
        fixture.replay_files(paths, root, workflows, codes[0].options, loop)
    except ReplayFailed as error:
        raise ReplayFailed(f"the build {build} cannot take over:\n{error}") from None
    return [str(path) for path in paths]


def _is_pinned(run: RunHistory) -> bool:
    """Whether the workflow's last task was pinned; the behavior may change from build to build."""
    behaviors = [
        event.workflow_task_completed_event_attributes.versioning_behavior
        for event in run.history.events
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
    ]
    return bool(behaviors) and behaviors[-1] == PINNED


def _no_code(run: RunHistory, codes: Sequence[WorkerCode]) -> str:
    known = ", ".join(f"{workflow} on {code.task_queue}" for code in codes for workflow in code.code.workflows)
    return (
        f"the workflow {run.id} ({run.workflow_type}) on the task queue {run.task_queue} has no code: "
        f"the build has {known or 'no workflows'}"
    )
