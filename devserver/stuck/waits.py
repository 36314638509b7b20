"""Where the workflows of a report wait, and which timers they have: for some of them, and for a limited time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from temporalio.api.common.v1 import WorkflowExecution

from ..client.calls import ServiceCalls
from ..history.tail import HistoryTail, clock_ahead
from ..replay import Candidate, ReplayPool
from ..trace.waits import find_waiting_places
from .findings import Finding, FindingTimer, FindingWaits, Kind, StuckReport
from .inspection import EVENTS

if TYPE_CHECKING:
    from temporalio.client import Client

MAX_WORKFLOWS = 20
# Of each of the two questions that a worker is asked.
LIMIT = timedelta(seconds=5)
# Their workers are missing or do not take workflow tasks, so only a replay can say where they wait.
SILENT: tuple[Kind, ...] = ("no_worker", "workflow_task_waiting")
# Where its code fails is in its failure.
FAILING: Kind = "workflow_task_failing"


@dataclass(frozen=True)
class _Run:
    finding: Finding
    candidate: Candidate


async def add_waits(client: Client, report: StuckReport, pool: ReplayPool | None = None) -> StuckReport:
    """The report with where its workflows wait: the first 20, within some ten seconds.

    Args:
        pool: Replays their histories with the module that has their code; None: their workers are asked for the line.

    Raises:
        CannotAsk: The server does not answer.
    """
    runs: dict[str, _Run] = {}
    for finding in report.findings:
        if finding.kind != FAILING and (pool is not None or finding.kind not in SILENT):
            candidate = Candidate(finding.workflow_id, finding.run_id, finding.workflow_type)
            runs.setdefault(finding.run_id, _Run(finding, candidate))
    chosen = list(runs.values())[:MAX_WORKFLOWS]
    silent = {run.finding.run_id for run in chosen if run.finding.kind in SILENT}
    calls = ServiceCalls(client)
    places, timers = await asyncio.gather(
        find_waiting_places(
            calls,
            [run.candidate for run in chosen],
            pool,
            ask=lambda candidate: candidate.run_id not in silent,
            limit=LIMIT,
        ),
        asyncio.gather(*(_timers(calls, run.candidate, report.at) for run in chosen)),
    )
    waits = {
        run.finding.run_id: FindingWaits(place.stacks, place.handlers, place.details, place.notes, pending)
        for run, place, pending in zip(chosen, places, timers, strict=True)
    }
    notes = report.notes
    if len(runs) > len(chosen):
        notes += (f"only {len(chosen)} of {len(runs):,} workflows were asked where they wait: name one for its lines",)
    findings = tuple(
        finding if finding.kind == FAILING else replace(finding, waits=waits.get(finding.run_id))
        for finding in report.findings
    )
    return replace(report, findings=findings, notes=notes)


async def _timers(calls: ServiceCalls, candidate: Candidate, now: datetime) -> Sequence[FindingTimer]:
    """The timers of a run that have not fired, as far as its last events show them."""
    execution = WorkflowExecution(workflow_id=candidate.workflow_id, run_id=candidate.run_id)
    description, events = await asyncio.gather(
        calls.describe_workflow(candidate.workflow_id, candidate.run_id), calls.last_events(execution, EVENTS)
    )
    if description is None:
        return ()
    ahead = clock_ahead(description, now)
    timers = sorted(HistoryTail(events).pending_timers(), key=lambda timer: timer.due)
    return [FindingTimer(timer.timer_id, timer.due - ahead) for timer in timers]
