"""All runs of one workflow, from the first to the newest, across continue-as-new, retries, cron and resets."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse

from ..client.calls import ServiceCalls
from ..client.list_filters import quote
from ..client.statuses import STATUSES, RunStatus
from ..client.timestamps import EPOCH, to_datetime
from ..errors import CannotAsk, OptionError
from .relations import Execution, NextRun, OriginKind
from .run_builder import RunBuilder
from .tail import clock_ahead

MAX_RUNS = 10_000
MAX_LISTED = 1000
MAX_UNRELATED = 50


@dataclass(frozen=True)
class RunSummary:
    """A run of a chain, before its history is read.

    Attributes:
        how: How it followed the run before it.
        size: Bytes of its history.
        ahead: How far time skipping has set its clock ahead of ours.
        missing: Its history was deleted after the retention time: only its ids are known.
        begins: When its first task comes, while it waits for a start delay or its cron schedule.
    """

    run_id: str
    how: OriginKind = "started"
    type: str = ""
    status: RunStatus = "running"
    started: datetime | None = None
    closed: datetime | None = None
    events: int = 0
    size: int = 0
    ahead: timedelta = timedelta(0)
    missing: bool = False
    begins: datetime | None = None


@dataclass(frozen=True)
class RunChain:
    """The runs of one workflow, the oldest first.

    Attributes:
        others: The number of listed executions with the same workflow id that do not belong to this chain.
        notes: Sentences on what is missing, and why.
    """

    workflow_id: str
    namespace: str
    runs: tuple[RunSummary, ...]
    others: int = 0
    notes: tuple[str, ...] = ()

    @property
    def newest(self) -> RunSummary:
        """The last run."""
        return self.runs[-1]


async def find_chain(calls: ServiceCalls, execution: Execution, *, others: bool = False) -> RunChain | None:
    """The chain that a run belongs to, or the current run without a run id; None if there is no such run.

    Args:
        others: Read lists too: for other executions of the same id, and for runs that later resets have hidden.

    Raises:
        CannotAsk: The server does not answer.
    """
    described = await calls.describe_workflow(execution.workflow_id, execution.run_id)
    if described is None:
        return None
    walk = _ChainWalk(calls, execution.workflow_id)
    run_id = described.workflow_execution_info.execution.run_id
    first = described.workflow_execution_info.first_run_id or run_id
    await walk.add_from(first, described if first == run_id else None)
    if walk.runs[0].missing:
        walk.notes += ("earlier runs are gone: the server deletes closed workflows after the retention time",)
        walk.runs.clear()
        await walk.add_from(await _earliest(calls, execution.workflow_id, run_id))
    unrelated = await _count_unrelated(walk, first) if others else 0
    walk.runs.sort(key=lambda run: run.started or EPOCH)
    return RunChain(execution.workflow_id, calls.client.namespace, tuple(walk.runs), unrelated, walk.notes)


def workflow_missing(calls: ServiceCalls, execution: Execution) -> CannotAsk:
    """Our error for a workflow or a run that does not exist."""
    run = f" with the run {execution.run_id}" if execution.run_id else ""
    return CannotAsk(
        f"there is no workflow {execution.workflow_id}{run} in the namespace {calls.client.namespace}",
        hint="list workflows of the last day with `devserver search --since 1d`; closed workflows are deleted after "
        "the namespace's retention time",
    )


class _ChainWalk:
    """Goes from run to run and collects summaries."""

    def __init__(self, calls: ServiceCalls, workflow_id: str) -> None:
        self.calls = calls
        self.workflow_id = workflow_id
        self.runs: list[RunSummary] = []
        self.notes: tuple[str, ...] = ()

    async def add_from(self, run_id: str, known: DescribeWorkflowExecutionResponse | None = None) -> None:
        """Add a run and all that followed it. `known` is the run's description, if the caller has it."""
        seen = {run.run_id for run in self.runs}
        ahead = [NextRun("started", run_id)]
        while ahead:
            if len(self.runs) >= MAX_RUNS:
                self.notes += (f"only the first {MAX_RUNS:,} runs are shown",)
                return
            run = ahead.pop()
            if run.run_id in seen:
                continue
            seen.add(run.run_id)
            summary, following = await self._visit(run, known)
            known = None
            self.runs.append(summary)
            ahead += following

    async def _visit(
        self, run: NextRun, known: DescribeWorkflowExecutionResponse | None
    ) -> tuple[RunSummary, list[NextRun]]:
        """The run's summary, and the runs that followed it, the last first."""
        described = known or await self.calls.describe_workflow(self.workflow_id, run.run_id)
        if described is None:
            return RunSummary(run.run_id, run.how, missing=True), []
        summary, close = _summary(run, described), None
        if described.workflow_execution_info.HasField("close_time"):  # the server would wait for an open run to close
            execution = WorkflowExecution(workflow_id=self.workflow_id, run_id=run.run_id)
            close = await self.calls.close_event(execution)
        reset = described.workflow_extended_info.reset_run_id
        following = [NextRun("reset", reset)] if reset else []
        after = _run_after(close, summary.status)
        if after is not None:
            following.append(after)
        return summary, following


def _summary(run: NextRun, described: DescribeWorkflowExecutionResponse) -> RunSummary:
    info = described.workflow_execution_info
    return RunSummary(
        run_id=run.run_id,
        how=run.how,
        type=info.type.name,
        status=STATUSES.get(info.status, "running"),
        started=to_datetime(info.start_time),
        closed=to_datetime(info.close_time) if info.HasField("close_time") else None,
        events=info.history_length,
        size=info.history_size_bytes,
        ahead=clock_ahead(described, datetime.now(timezone.utc)),
        begins=to_datetime(info.execution_time)
        if info.history_length <= 1 and info.HasField("execution_time")
        else None,
    )


def _run_after(close: HistoryEvent | None, status: RunStatus) -> NextRun | None:
    if close is None:
        return None
    builder = RunBuilder("", "")
    builder.add(close)
    following = builder.run.next
    # Some clients get a retry and the next run of a cron schedule as continue-as-new.
    if following is not None and status != "continued_as_new":
        return NextRun("cron" if status == "completed" else "retried", following.run_id)
    return following


async def _earliest(calls: ServiceCalls, workflow_id: str, run_id: str) -> str:
    """The first run before this one whose history still exists."""
    while True:
        page = await calls.history_page(WorkflowExecution(workflow_id=workflow_id, run_id=run_id), max_events=1)
        if page is None or not page.history.events:
            return run_id
        before = page.history.events[0].workflow_execution_started_event_attributes.continued_execution_run_id
        if not before or await calls.describe_workflow(workflow_id, before) is None:
            return run_id
        run_id = before


async def _count_unrelated(walk: _ChainWalk, first: str) -> int:
    """How many listed runs are not part of this chain; those that are, and that the walk did not find, are added."""
    known = {run.run_id for run in walk.runs}
    listed: list[str] = []
    with contextlib.suppress(CannotAsk, OptionError):  # a server without lists, or with old ones
        listed = [
            info.execution.run_id
            async for info in walk.calls.list_workflows(f"WorkflowId = {quote(walk.workflow_id)}", MAX_LISTED)
        ]
    listed = [run_id for run_id in listed if run_id not in known]
    count = 0
    for run_id in reversed(listed[:MAX_UNRELATED]):  # the oldest first: the walk finds the runs that followed it
        described = await walk.calls.describe_workflow(walk.workflow_id, run_id)
        if described is None or described.workflow_execution_info.first_run_id != first:
            count += 1
        elif run_id not in {run.run_id for run in walk.runs}:
            at = len(walk.runs)
            await walk.add_from(run_id)
            walk.runs[at] = replace(walk.runs[at], how="reset")
    return count + max(0, len(listed) - MAX_UNRELATED)
