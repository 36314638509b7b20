"""Histories of files in place of a server: answers the calls that reading a workflow makes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, cast

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import WorkflowTaskFailedCause
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse, GetWorkflowExecutionHistoryResponse

from ..client.calls import ServiceCalls
from ..client.list_filters import quote
from ..client.plain_values import plain_values
from ..client.statuses import STATUSES
from ..client.timestamps import EPOCH, to_datetime
from .events import close_status, next_run_id
from .files import SavedHistory
from .reader import HistoryReader

if TYPE_CHECKING:
    from temporalio.client import Client
    from temporalio.converter import DataConverter

NOT_HERE = "its history is not in the files"
Key = tuple[str, str]


@dataclass
class _FilesClient:
    """What the reading of histories needs of a client."""

    namespace: str
    data_converter: DataConverter


class StoredHistories(HistoryReader):
    """Reads workflows of histories in memory, such as those of `find_histories`.

    Of several histories of one run, the longest counts.

    Args:
        converter: Decodes values; None: the SDK's default.
    """

    missing_child = missing_run = NOT_HERE

    def __init__(self, histories: Iterable[SavedHistory], converter: DataConverter | None = None) -> None:
        self.stored = StoredCalls(histories, converter or plain_values())
        self.calls = self.stored


class StoredCalls(ServiceCalls):
    """Answers calls from histories in memory. What is not in them does not exist."""

    def __init__(self, histories: Iterable[SavedHistory], converter: DataConverter) -> None:
        super().__init__(cast("Client", _FilesClient("", converter)))
        self.runs: dict[Key, SavedHistory] = {}
        self._replaced: dict[Key, str] = {}
        for history in histories:
            key = (history.workflow_id, history.run_id)
            known = self.runs.get(key)
            if known is None or len(known.events) < len(history.events):
                self.runs[key] = history
        self._infos = {key: _info(history) for key, history in self.runs.items()}
        for (workflow_id, run_id), history in self.runs.items():
            base = _base_run(history.events)
            if base and (workflow_id, base) in self.runs:
                self._replaced[workflow_id, base] = run_id
        self._before = {
            (key[0], next_run_id(history.events[-1])): key
            for key, history in self.runs.items()
            if next_run_id(history.events[-1])
        }

    def roots(self) -> list[Key]:
        """The workflow and run ids of the first runs of workflows whose parents are not here, the oldest first."""
        resets = {(key[0], run_id) for key, run_id in self._replaced.items()}
        found: list[Key] = []
        for key, history in self.runs.items():
            parent = history.events[0].workflow_execution_started_event_attributes.parent_workflow_execution
            above = (parent.workflow_id, parent.run_id)
            if key not in self._before and key not in resets and above not in self.runs:
                found.append(key)
        return sorted(found or self.runs, key=lambda key: _age(self._infos[key]))

    def last_event(self, workflow_id: str) -> datetime:
        """The time of the last event of a workflow's runs: open ones are shown as they were then."""
        runs = [history for key, history in self.runs.items() if key[0] == workflow_id]
        return max((to_datetime(history.events[-1].event_time) for history in runs), default=EPOCH)

    def _key(self, workflow_id: str, run_id: str) -> Key | None:
        if run_id:
            return (workflow_id, run_id) if (workflow_id, run_id) in self.runs else None
        keys = [key for key in self.runs if key[0] == workflow_id]
        return max(keys, key=lambda key: _age(self._infos[key]), default=None)

    async def describe_workflow(self, workflow_id: str, run_id: str = "") -> DescribeWorkflowExecutionResponse | None:
        """The description of a run as its history has it."""
        key = self._key(workflow_id, run_id)
        if key is None:
            return None
        answer = DescribeWorkflowExecutionResponse(workflow_execution_info=self._infos[key])
        answer.workflow_execution_info.first_run_id = self._first(key)[1]
        answer.workflow_extended_info.reset_run_id = self._replaced.get(key, "")
        return answer

    def _first(self, key: Key) -> Key:
        seen = {key}
        bases = {(name, run): (name, base) for (name, base), run in self._replaced.items()}
        while (before := self._before.get(key) or bases.get(key)) is not None and before not in seen:
            seen.add(before)
            key = before
        return key

    async def history_page(
        self, execution: WorkflowExecution, *, token: bytes = b"", max_events: int = 0, wait: bool = False
    ) -> GetWorkflowExecutionHistoryResponse | None:
        """All events of a run, as one page."""
        key = self._key(execution.workflow_id, execution.run_id)
        if key is None:
            return None
        answer = GetWorkflowExecutionHistoryResponse()
        answer.history.events.extend(self.runs[key].events)
        return answer

    async def close_event(self, execution: WorkflowExecution, *, wait: bool = False) -> HistoryEvent | None:
        """The event that closed a run."""
        key = self._key(execution.workflow_id, execution.run_id)
        last = self.runs[key].events[-1] if key is not None else None
        return last if last is not None and close_status(last) is not None else None

    async def list_workflows(
        self, query: str = "", limit: int | None = None, *, page_size: int = 0
    ) -> AsyncIterator[WorkflowExecutionInfo]:
        """All runs, or those of one workflow, the newest first; other conditions of `query` are not applied."""
        named = [key for key in self.runs if query == f"WorkflowId = {quote(key[0])}"]
        infos = [self._infos[key] for key in (named or self.runs)]
        for info in sorted(infos, key=_age, reverse=True)[:limit]:
            yield info

    async def count_workflows(self, query: str = "") -> int:
        """The number of runs."""
        return len(self.runs)


def _info(history: SavedHistory) -> WorkflowExecutionInfo:
    first, last = history.events[0], history.events[-1]
    start = first.workflow_execution_started_event_attributes
    info = WorkflowExecutionInfo(
        start_time=first.event_time,
        history_length=len(history.events),
        history_size_bytes=sum(event.ByteSize() for event in history.events),
        task_queue=start.task_queue.name,
        memo=start.memo,
        search_attributes=start.search_attributes,
    )
    info.execution.workflow_id, info.execution.run_id = history.workflow_id, history.run_id
    info.type.name = history.workflow_type
    status = close_status(last)
    info.status = next(number for number, name in STATUSES.items() if name == (status or "running"))  # type: ignore[assignment]
    if status is not None:
        info.close_time.CopyFrom(last.event_time)
    return info


def _age(info: WorkflowExecutionInfo) -> int:
    return info.start_time.ToNanoseconds()


def _base_run(events: Sequence[HistoryEvent]) -> str:
    """The run that was reset into this one; empty if none was."""
    for event in reversed(events):
        failed = event.workflow_task_failed_event_attributes
        if failed.cause == WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW:
            return failed.base_run_id
    return ""
