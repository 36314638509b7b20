"""Whether a build can take over what is open: histories of open workflows, or stored ones, replayed against it."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path

from temporalio.api.enums.v1 import EventType, VersioningBehavior
from temporalio.client import Client

from ..errors import ReplayFailed, SetupError
from ..replay import fixture, replay
from ..replay.replay import Code
from ..workers.background_loop import BackgroundLoop
from ..workers.workers import RunningWorker
from ..workflows import executions
from ..workflows.executions import RunHistory

PINNED = VersioningBehavior.VERSIONING_BEHAVIOR_PINNED
ENDS = frozenset(
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
    "the new code does not fit what these workflows have done: keep the old way for them with workflow.patched(), or "
    "pin them to the build that they began on"
)


async def of_open(
    build: str,
    workers: Sequence[RunningWorker],
    client: Client,
    started: Iterable[tuple[str, str | None]],
    *,
    pinned: bool,
) -> list[str]:
    """Replay the open workflows of the test, those that are pinned only if asked; their ids.

    Raises:
        ReplayFailed: Some do not replay, or the build has no code for them.
        SetupError: There are none.
    """
    runs = [ran for ran in await executions.find(client, started) if ran.history.events[-1].event_type not in ENDS]
    chosen = [ran for ran in runs if pinned or not _is_pinned(ran)]
    if not chosen:
        left = f"; {len(runs)} that are pinned are left out (pinned=True has them)" if runs else ""
        raise SetupError(f"no open workflow is there for the build {build} to take over{left}")
    made = await asyncio.to_thread(lambda: [replay.code_of(each.worker) for each in workers])
    codes = [dataclasses.replace(each, build="") for each in made]  # as if what is open were on this build
    problems = []
    for ran in chosen:
        code = next((each for each in codes if each.runs(ran)), None)
        if code is None:
            problems.append(_no_code(ran, codes))
            continue
        problems += [str(each.divergence) for each in await replay.replay(code, [ran]) if each.divergence is not None]
    if problems:
        head = f"the build {build} cannot take over {len(problems)} of {len(chosen)} open workflows:"
        raise ReplayFailed("\n".join([head, *problems, ADVICE]))
    return [ran.id for ran in chosen]


def of_files(build: str, workers: Sequence[RunningWorker], root: Path, folder: Path, loop: BackgroundLoop) -> list[str]:
    """Replay stored histories; the files.

    Raises:
        ReplayFailed: Some do not replay.
        SetupError: There are none, one cannot be read, or the build has no code for it.
    """
    paths = fixture.files_of(root / folder)
    codes = [replay.code_of(each.worker) for each in workers]
    kinds = [kind for code in codes for kind in code.kinds.values()]
    try:
        fixture.replay_files(paths, root, kinds, codes[0].options, loop)
    except ReplayFailed as error:
        raise ReplayFailed(f"the build {build} cannot take over:\n{error}") from None
    return [str(path) for path in paths]


def _is_pinned(ran: RunHistory) -> bool:
    """Whether its last task said so; it may have changed from build to build."""
    done = [
        event.workflow_task_completed_event_attributes.versioning_behavior
        for event in ran.history.events
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
    ]
    return bool(done) and done[-1] == PINNED


def _no_code(ran: RunHistory, codes: Sequence[Code]) -> str:
    known = ", ".join(f"{kind} on {code.task_queue}" for code in codes for kind in code.kinds)
    return (
        f"the workflow {ran.id} ({ran.workflow_type}) on the task queue {ran.task_queue} finds no code: "
        f"the build has {known or 'no workflows'}"
    )
