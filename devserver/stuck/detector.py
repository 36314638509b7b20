"""Finds the blocked workflows of a namespace, with a bounded number of calls."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone

from temporalio.api.taskqueue.v1 import PollerInfo
from temporalio.client import Client

from ..client.calls import MAX_CONCURRENT, ServiceCalls, still_polls
from ..client.timestamps import to_datetime
from ..errors import CannotAsk, OptionError
from . import hints
from .candidates import candidates
from .diagnosis import diagnose
from .findings import Finding, StuckReport, Thresholds, ranked
from .inspection import ACTIVITY, EVENTS, Diagnosis, PollerNeed, Queue

LIMIT = 1000
DEFAULT = Thresholds()


async def find_stuck(
    client: Client,
    *,
    workflow_id: str | None = None,
    query: str | None = None,
    thresholds: Thresholds = DEFAULT,
    limit: int = LIMIT,
    max_concurrent: int = MAX_CONCURRENT,
) -> StuckReport:
    """Find what is blocked in the client's namespace, or in one workflow, the worst first.

    Work is bounded: at most `limit` open workflows are examined, first those that the server marks, then the oldest and
    the newest. Each costs one description and at most one page of history, `max_concurrent` at a time. A paused
    workflow is always found; a closed one is never stuck.

    Args:
        workflow_id: Examine only the current run of this workflow, without the delay of lists.
        query: A list filter for the open workflows.
        thresholds: When something counts as stuck.

    Raises:
        CannotAsk: The server does not answer, or there is no such namespace or workflow.
        OptionError: The server does not understand `query`, or a limit is below 1.
    """
    if limit < 1 or max_concurrent < 1:
        raise OptionError(
            f"at least one workflow must be examined, one at a time: limit={limit}, max_concurrent={max_concurrent}"
        )
    calls = ServiceCalls(client, max_concurrent=max_concurrent)
    now = datetime.now(timezone.utc)
    if workflow_id is not None:
        return await _one(calls, workflow_id, thresholds, now)
    chosen = await candidates(calls, query, limit)
    runs = [(item.execution.workflow_id, item.execution.run_id) for item in chosen.chosen]
    found = await asyncio.gather(*(diagnose(calls, *run, thresholds, now) for run in runs))
    return await _report(calls, found, now, chosen.open)


async def _one(calls: ServiceCalls, workflow_id: str, thresholds: Thresholds, now: datetime) -> StuckReport:
    if await calls.describe_workflow(workflow_id) is None:
        raise CannotAsk(f"there is no workflow {workflow_id} in the namespace {calls.client.namespace}")
    found = await diagnose(calls, workflow_id, "", thresholds, now)
    return await _report(calls, [found], now, int(found.open))


async def _report(calls: ServiceCalls, found: Sequence[Diagnosis], now: datetime, total: int) -> StuckReport:
    unpolled, without_worker = await _unpolled(calls, [need for item in found for need in item.needs], now)
    suspects = (suspect for item in found for suspect in item.suspects)
    findings = [suspect.finding for suspect in suspects if suspect.unless_unpolled not in unpolled]
    examined = sum(item.open for item in found)
    return StuckReport(
        namespace=calls.client.namespace,
        at=now,
        findings=ranked([*findings, *without_worker]),
        open=max(examined, total - sum(not item.open for item in found)),
        examined=examined,
        notes=_notes(found),
    )


def _notes(found: Sequence[Diagnosis]) -> tuple[str, ...]:
    unseen = sum(item.unseen for item in found)
    if not unseen:
        return ()
    return (f"only the last {EVENTS} events were searched for late timers: {unseen} workflows have more events",)


async def _unpolled(
    calls: ServiceCalls, needs: Iterable[PollerNeed], now: datetime
) -> tuple[set[Queue], list[Finding]]:
    """Task queues that workflows need and that no worker polls, and a finding for each name."""
    wanted: dict[Queue, list[PollerNeed]] = defaultdict(list)
    for need in needs:
        wanted[need.queue].append(need)
    answers = await asyncio.gather(*(calls.pollers(*queue) for queue in wanted))
    pollers = {
        queue: answer
        for queue, answer in zip(wanted, answers, strict=True)
        if not any(still_polls(poller, now) for poller in answer)
    }
    findings = []
    for name in {name for name, _ in pollers}:
        kinds = [queue for queue in pollers if queue[0] == name]
        last = [poller for queue in kinds for poller in pollers[queue]]
        findings.append(_no_worker(name, kinds, [need for queue in kinds for need in wanted[queue]], last))
    return set(pollers), findings


def _no_worker(
    name: str, kinds: Sequence[Queue], needs: Sequence[PollerNeed], pollers: Sequence[PollerInfo]
) -> Finding:
    waiting = sorted((need for need in needs if need.since), key=lambda need: need.since or datetime.max)
    first = (waiting or needs)[0]
    tasks = " and ".join("activities" if kind == ACTIVITY else "workflow tasks" for _, kind in sorted(kinds))
    workflows = len({need.workflow.execution.run_id for need in needs})
    many = f"{workflows} open workflows need one" if workflows > 1 else "this workflow needs one"
    last = max(pollers, key=lambda poller: to_datetime(poller.last_access_time), default=None)
    seen = f"; the last was {last.identity}, at {to_datetime(last.last_access_time):%H:%M:%S} UTC" if last else ""
    hint = hints.no_worker(name)
    return Finding(
        kind="no_worker",
        workflow_id=first.workflow.execution.workflow_id,
        run_id=first.workflow.execution.run_id,
        workflow_type=first.workflow.type.name,
        task_queue=name,
        what=f"no worker polls the task queue {name} for {tasks}; {many}{seen}",
        hint=hint.text,
        command=hint.command,
        since=first.since,
        workflows=workflows,
    )
