"""All runs of one workflow: from the first over continue-as-new, retries, cron and resets to the newest."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse

from ..client.calls import ServiceCalls
from ..client.list_filters import quote
from ..client.timestamps import EPOCH, to_datetime
from ..errors import CannotAsk, OptionError
from .model import Execution, NextRun, OriginKind, RunStatus
from .pending import PAUSED
from .run_builder import RunBuilder
from .tail import clock_ahead

MOST_RUNS = 10_000
MOST_LISTED = 1000
MOST_STRANGERS = 50
STATUSES: dict[int, RunStatus] = {
    1: "running",
    2: "completed",
    3: "failed",
    4: "canceled",
    5: "terminated",
    6: "continued_as_new",
    7: "timed_out",
    PAUSED: "paused",
}


@dataclass(frozen=True)
class RunSummary:
    """A run of a chain, before its history is read.

    Attributes:
        how: How it came after the run before it.
        size: Of its history, in bytes.
        ahead: How far time skipping has set its clock ahead of ours.
        missing: Its history was deleted, as retention does; nothing else is known of it.
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


@dataclass(frozen=True)
class RunChain:
    """The runs of one workflow, the oldest first.

    Attributes:
        others: Executions of the same workflow id that have nothing to do with these, as far as lists know them.
        notes: What is not there and why, sentences.
    """

    workflow_id: str
    namespace: str
    links: tuple[RunSummary, ...]
    others: int = 0
    notes: tuple[str, ...] = ()

    @property
    def newest(self) -> RunSummary:
        """The last run."""
        return self.links[-1]


async def find_chain(calls: ServiceCalls, execution: Execution, *, others: bool = False) -> RunChain | None:
    """The chain that a run belongs to, the current run's without a run id; None where there is no such run.

    Args:
        others: Ask lists, too: for other executions of the same id, and for runs that later resets have hidden.

    Raises:
        CannotAsk: The server does not answer.
    """
    asked = await calls.describe_workflow(execution.workflow_id, execution.run_id)
    if asked is None:
        return None
    walk = _Walk(calls, execution.workflow_id)
    run_id = asked.workflow_execution_info.execution.run_id
    first = asked.workflow_execution_info.first_run_id or run_id
    await walk.from_run(first, asked if first == run_id else None)
    if walk.links[0].missing:
        notes = ("earlier runs are gone: the server deletes closed workflows after the namespace's retention time",)
        walk.notes += notes
        walk.links.clear()
        await walk.from_run(await _earliest(calls, execution.workflow_id, run_id))
    strangers = await _strangers(walk, first) if others else 0
    walk.links.sort(key=lambda link: link.started or EPOCH)
    return RunChain(execution.workflow_id, calls.client.namespace, tuple(walk.links), strangers, walk.notes)


def workflow_missing(calls: ServiceCalls, execution: Execution) -> CannotAsk:
    """Our error for a workflow or a run that the server does not know."""
    run = f" with the run {execution.run_id}" if execution.run_id else ""
    return CannotAsk(
        f"there is no workflow {execution.workflow_id}{run} in the namespace {calls.client.namespace}",
        hint="`devserver search --since 1d` lists those of a day; closed ones are deleted after their retention time",
    )


class _Walk:
    """Goes from run to run."""

    def __init__(self, calls: ServiceCalls, workflow_id: str) -> None:
        self.calls = calls
        self.workflow_id = workflow_id
        self.links: list[RunSummary] = []
        self.notes: tuple[str, ...] = ()

    async def from_run(self, run_id: str, known: DescribeWorkflowExecutionResponse | None = None) -> None:
        """Add a run and all that came after it."""
        seen = {link.run_id for link in self.links}
        ahead = [NextRun("started", run_id)]
        while ahead:
            if len(self.links) >= MOST_RUNS:
                self.notes += (f"only the first {MOST_RUNS:,} runs are told",)
                return
            each = ahead.pop()
            if each.run_id in seen:
                continue
            seen.add(each.run_id)
            link, following = await self._visit(each, known)
            known = None
            self.links.append(link)
            ahead += following

    async def _visit(
        self, each: NextRun, known: DescribeWorkflowExecutionResponse | None
    ) -> tuple[RunSummary, list[NextRun]]:
        """The link, and what came after it, the last first."""
        described = known or await self.calls.describe_workflow(self.workflow_id, each.run_id)
        if described is None:
            return RunSummary(each.run_id, each.how, missing=True), []
        link, close = _summary(each, described), None
        if described.workflow_execution_info.HasField("close_time"):  # of an open run, the server would wait for it
            execution = WorkflowExecution(workflow_id=self.workflow_id, run_id=each.run_id)
            close = await self.calls.close_event(execution)
        reset = described.workflow_extended_info.reset_run_id
        following = [NextRun("reset", reset)] if reset else []
        after = _after(close, link.status)
        if after is not None:
            following.append(after)
        return link, following


def _summary(each: NextRun, described: DescribeWorkflowExecutionResponse) -> RunSummary:
    info = described.workflow_execution_info
    return RunSummary(
        run_id=each.run_id,
        how=each.how,
        type=info.type.name,
        status=STATUSES.get(info.status, "running"),
        started=to_datetime(info.start_time),
        closed=to_datetime(info.close_time) if info.HasField("close_time") else None,
        events=info.history_length,
        size=info.history_size_bytes,
        ahead=clock_ahead(described, datetime.now(timezone.utc)),
    )


def _after(close: HistoryEvent | None, status: RunStatus) -> NextRun | None:
    if close is None:
        return None
    reader = RunBuilder("", "")
    reader.add(close)
    following = reader.run.next
    # To some clients the server tells a retry and a next run of a cron schedule as continue-as-new.
    if following is not None and status != "continued_as_new":
        return NextRun("cron" if status == "completed" else "retried", following.run_id)
    return following


async def _earliest(calls: ServiceCalls, workflow_id: str, run_id: str) -> str:
    """The first run before this one whose history is still there."""
    while True:
        page = await calls.history_page(WorkflowExecution(workflow_id=workflow_id, run_id=run_id), max_events=1)
        if page is None or not page.history.events:
            return run_id
        before = page.history.events[0].workflow_execution_started_event_attributes.continued_execution_run_id
        if not before or await calls.describe_workflow(workflow_id, before) is None:
            return run_id
        run_id = before


async def _strangers(walk: _Walk, first: str) -> int:
    """How many listed runs are not of this chain; those that are, and that walking did not find, are added."""
    known = {link.run_id for link in walk.links}
    listed: list[str] = []
    with contextlib.suppress(CannotAsk, OptionError):  # a server without lists, or with old ones
        listed = [
            info.execution.run_id
            async for info in walk.calls.list_workflows(f"WorkflowId = {quote(walk.workflow_id)}", MOST_LISTED)
        ]
    listed = [run_id for run_id in listed if run_id not in known]
    count = 0
    for run_id in reversed(listed[:MOST_STRANGERS]):  # the oldest first: what came after it is found with it
        described = await walk.calls.describe_workflow(walk.workflow_id, run_id)
        if described is None or described.workflow_execution_info.first_run_id != first:
            count += 1
        elif run_id not in {link.run_id for link in walk.links}:
            at = len(walk.links)
            await walk.from_run(run_id)
            walk.links[at] = replace(walk.links[at], how="reset")
    return count + max(0, len(listed) - MOST_STRANGERS)
